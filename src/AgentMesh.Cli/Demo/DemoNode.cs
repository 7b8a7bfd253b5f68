using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Cli.Demo;

internal readonly record struct Answer(int Code, string Out, string Error)
{
    public string FirstLine => Out.SplitFirst();
}

internal static class AnswerText
{
    public static string SplitFirst(this string text) => text.TrimEnd('\n').Split('\n')[0];
}

/// <summary>One real node of the demo: a process of its own with a data directory of its own, reached only through the command line.</summary>
internal sealed class DemoNode(string name, string directory)
{
    private volatile bool _isEnding;

    public string Name => name;

    public string Directory => directory;

    /// <summary>The network namespace that its processes run in; null for that of the demo.</summary>
    public string? Namespace { get; init; }

    public Task<Answer> UpAsync() => AgentMesh("up", "--detach", "--name", name, "--port", "0", "--listen", Namespace is null ? "127.0.0.1" : "0.0.0.0");

    /// <summary>Ends the node's process as a power cut would: SIGKILL.</summary>
    public void KillHard()
    {
        int id = int.Parse(File.ReadAllText(Path.Combine(directory, "node.pid")), CultureInfo.InvariantCulture);
        using Process node = Process.GetProcessById(id);
        node.Kill();
        node.WaitForExit();
    }

    public bool IsRunning()
    {
        try
        {
            using Process node = Process.GetProcessById(int.Parse(File.ReadAllText(Path.Combine(directory, "node.pid")), CultureInfo.InvariantCulture));
            return !node.HasExited;
        }
        catch (Exception error) when (error is IOException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Runs one command line against this node and waits for it. Refused once the node is being ended.</summary>
    public Task<Answer> AgentMesh(params string[] words) => _isEnding ? Task.FromResult(new Answer(-1, "", "the demo ends")) : RunAsync(words);

    /// <summary>Ends it with all of its programs; what a part that was broken off still wants of it is refused.</summary>
    public async Task EndAsync()
    {
        _isEnding = true;
        if (IsRunning())
        {
            await RunAsync("down", "--end-programs").ConfigureAwait(false);
        }

        if (IsRunning())
        {
            KillHard();
        }
    }

    private async Task<Answer> RunAsync(params string[] words)
    {
        using Process process = Start(words);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Answer(-1, "", $"'{string.Join(' ', words)}' did not end within a minute");
        }

        return new Answer(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    /// <summary>Starts one command line that goes on beside the demo; its output is collected.</summary>
    public Task<Answer> Beside(params string[] words) => Task.Run(() => AgentMesh(words));

    /// <summary>Starts one command line whose process is the caller's.</summary>
    public Process Start(params string[] words)
    {
        var start = new ProcessStartInfo(Namespace is null ? Environment.ProcessPath! : "ip")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Namespace is not null)
        {
            foreach (string word in new[] { "netns", "exec", Namespace, Environment.ProcessPath! })
            {
                start.ArgumentList.Add(word);
            }
        }

        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(DemoNode).Assembly.Location);
        }

        foreach (string setting in start.Environment.Keys.Where(key => key.StartsWith("AGENTMESH_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(setting);
        }

        if (OperatingSystem.IsLinux())
        {
            // The runtime of a killed process leaves its diagnostic sockets behind: here, where they go with the demo.
            start.Environment["TMPDIR"] = Path.GetDirectoryName(directory);
        }

        start.ArgumentList.Add("--data-dir");
        start.ArgumentList.Add(directory);
        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        return Process.Start(start)!;
    }
}
