using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AgentMesh.Cli.Client;
using AgentMesh.Node.Control;

namespace Scenarios.Harness;

public readonly record struct Ran(int Code, string Out, string Error)
{
    /// <summary>It must have gone well.</summary>
    /// <returns>What it printed.</returns>
    public string Done()
    {
        Assert.True(Code == 0, ToString());
        return Out;
    }

    /// <summary>It must have been refused with these words and a next step.</summary>
    public void Refused(params string[] says)
    {
        Assert.True(Code == 255, ToString());
        string error = Error;
        Assert.All(says, text => Assert.Contains(text, error, StringComparison.Ordinal));
        Assert.Contains("next: ", error, StringComparison.Ordinal);
    }

    public override string ToString() => $"exit {Code}\nstdout: {Out}\nstderr: {Error}";
}

/// <summary>One node as a user has it: a process started by the command line, with a data directory that goes with the test.</summary>
public sealed class TestNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-").FullName;

    public TestNode(string name)
    {
        Name = name;
        Data = Directory.CreateDirectory(Path.Combine(_directory, "data")).FullName;
    }

    public string Name { get; }

    public string Data { get; }

    public Dictionary<string, string> Environment { get; } = [];

    public int ProcessId => int.Parse(File.ReadAllText(Path.Combine(Data, "node.pid")), CultureInfo.InvariantCulture);

    /// <summary>The node's UDP port on loopback.</summary>
    public int Port { get; set; }

    /// <summary>The network namespace that its processes run in; null for the one of the tests.</summary>
    public string? Namespace { get; set; }

    /// <summary>The user and group that its processes run as, by number; null for those of the tests. Needs root and setpriv.</summary>
    public int? User { get; init; }

    /// <summary>Local addresses, with a space between.</summary>
    public string Listen { get; init; } = "127.0.0.1";

    public static async Task<TestNode> StartAsync(string name, string? peerConfig = null)
    {
        var node = new TestNode(name);
        if (peerConfig is not null)
        {
            File.WriteAllText(Path.Combine(node.Data, "peer_config.json"), peerConfig);
        }

        await node.UpAsync();
        return node;
    }

    /// <summary>Gives a directory to a user, with what is in it.</summary>
    public static void Own(string directory, int user) => Assert.Empty(Shell.RunBoth("chown", "-R", string.Create(CultureInfo.InvariantCulture, $"{user}:{user}"), directory));

    public async Task UpAsync()
    {
        if (User is { } user)
        {
            Own(_directory, user);
        }

        Ran up = await RunAsync(["up", "--detach", "--name", Name, "--port", Port.ToString(CultureInfo.InvariantCulture), "--listen", .. Listen.Split(' ')]);
        Assert.True(up.Code == 0, $"{Name} did not start: {up}");
        Port = int.Parse((await StatusAsync()).Addresses[0].Split(':')[^1], CultureInfo.InvariantCulture);
    }

    /// <summary>What <c>--json status</c> prints, asked without a command line: that takes longer to start than what is waited for.</summary>
    public Task<StatusView> StatusAsync() => AskAsync("v1/status", ControlJson.Default.StatusView);

    /// <inheritdoc cref="StatusAsync"/>
    public Task<IReadOnlyList<PeerView>> PeersAsync() => AskAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView);

    /// <summary>The connections to a device, the newest first.</summary>
    public Task<IReadOnlyList<ConnectionView>> ConnectionsAsync(string peer) => AskAsync($"v1/history?peer={peer}", ControlJson.Default.IReadOnlyListConnectionView);

    public async Task<JobView> JobAsync(string id) => Json(await RunAsync("--json", "job", "show", id), ControlJson.Default.JobView);

    public async Task PairWithAsync(TestNode guest)
    {
        Ran invited = await RunAsync("invite", "--link");
        Assert.True(invited.Code == 0, invited.ToString());
        Ran joined = await guest.RunAsync("join", invited.Out.Trim());
        Assert.True(joined.Code == 0, joined.ToString());
    }

    /// <summary>What <c>join</c> does, without a command line: by the time that one ends, much has happened.</summary>
    public async Task<PairingView> JoinAsync(JoinRequest request)
    {
        using var client = new ControlClient(ControlSocketPath.For(Data));
        return await client.PostAsync("v1/join", request, ControlJson.Default.JoinRequest, ControlJson.Default.PairingView, CancellationToken.None);
    }

    public Task<Ran> RunAsync(params string[] words) => RunWithInputAsync(null, words);

    public async Task<Ran> RunWithInputAsync(string? input, params string[] words)
    {
        using Process process = Start(words);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'agentmesh {string.Join(' ', words)}' on {Name} did not end within {Patience}");
        }

        return new Ran(process.ExitCode, await output, await error);
    }

    public Process Start(params string[] words) => Process.Start(StartInfo(words))!;

    public ProcessStartInfo StartInfo(params string[] words)
    {
        // Tests that run in the background of a script have SIGINT ignored, and would hand that on: Ctrl+C would do nothing.
        string[] program = ["env", "--default-signal=INT", "dotnet"];
        if (User is { } user)
        {
            string id = user.ToString(CultureInfo.InvariantCulture);
            program = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--", .. program];
        }

        var start = new ProcessStartInfo(Namespace is null ? program[0] : "ip")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string word in Namespace is null ? program[1..] : ["netns", "exec", Namespace, .. program])
        {
            start.ArgumentList.Add(word);
        }

        start.ArgumentList.Add(Program);
        start.ArgumentList.Add("--data-dir");
        start.ArgumentList.Add(Data);
        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        // The runtime of a killed process leaves its diagnostic sockets behind: here, where they go with the test.
        start.Environment["TMPDIR"] = _directory;
        if (User is not null)
        {
            start.Environment["HOME"] = _directory;
        }

        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    public void Signal(string signal) => Shell.Signal(ProcessId, signal);

    public void KillHard()
    {
        using Process node = Process.GetProcessById(ProcessId);
        node.Kill();
        node.WaitForExit();
    }

    /// <summary>Ends the process of the node if there is one; what it holds open in its directory goes with it.</summary>
    public async Task EndAsync()
    {
        try
        {
            using Process node = Process.GetProcessById(ProcessId);
            if (node.MainModule?.FileName.Contains("dotnet", StringComparison.Ordinal) == true)
            {
                node.Kill();
                await node.WaitForExitAsync();
            }
        }
        catch (Exception error) when (error is IOException or ArgumentException or InvalidOperationException or FormatException)
        {
            // Not running.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        EndPrograms();
        try
        {
            Directory.Delete(_directory, recursive: true);
        }
        catch (IOException)
        {
            // A process of a job may still be ending.
        }
    }

    /// <summary>Numbers of the shims and of the groups of their programs, as the files in the data directory tell them.</summary>
    public IReadOnlyList<(int Shim, int Program)> Shims() =>
    [
        .. (Directory.Exists(Path.Combine(Data, "spool")) ? Directory.EnumerateFiles(Path.Combine(Data, "spool"), "shim", SearchOption.AllDirectories) : [])
            .Select(file => File.ReadAllText(file).Split(' '))
            .Where(fields => fields.Length == 5)
            .Select(fields => (int.Parse(fields[1], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture))),
    ];

    /// <summary>Programs outlive their node; those of a test end with it.</summary>
    private void EndPrograms()
    {
        foreach ((int shim, _) in Shims())
        {
            if (File.Exists($"/proc/{shim}/cmdline") && File.ReadAllText($"/proc/{shim}/cmdline").Contains("agentmesh-shim", StringComparison.Ordinal))
            {
                Shell.Signal(shim, "KILL");
            }
        }
    }

    private static string Program =>
        System.Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") is { Length: > 0 } given ? given : Path.Combine(AppContext.BaseDirectory, "agentmesh.dll");

    private async Task<T> AskAsync<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        NodeDoor.WaitUntilOpen(Data, ControlSocketPath.For(Data), within: null);
        using var client = new ControlClient(ControlSocketPath.For(Data));
        return await client.GetAsync(path, type, CancellationToken.None);
    }

    private static T Json<T>(Ran ran, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        Assert.True(ran.Code == 0, ran.ToString());
        return JsonSerializer.Deserialize(ran.Out, type)!;
    }
}
