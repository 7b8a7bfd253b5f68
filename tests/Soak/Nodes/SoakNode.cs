using System.Globalization;
using AgentMesh.Node.Control;

namespace Soak.Nodes;

/// <summary>One node: a process started by the command line, with a data directory in the folder of the run.</summary>
internal sealed class SoakNode
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    private readonly string _temporary;
    private readonly string? _namespace;
    private readonly string _listen;
    private int _port;

    public SoakNode(int index, string folder, HubNetwork? network)
    {
        _namespace = network?.NamespaceOf(index);
        _listen = network is null ? "127.0.0.1" : HubNetwork.AddressOf(index);
        Index = index;
        Name = string.Create(CultureInfo.InvariantCulture, $"n{index}");
        Data = Path.Combine(folder, Name);
        _temporary = Path.Combine(folder, "tmp");
        Directory.CreateDirectory(Data);
        Directory.CreateDirectory(_temporary);
        Client = new NodeClient(ControlSocketPath.For(Data));
    }

    public int Index { get; }

    public string Name { get; }

    public string Data { get; }

    /// <summary>The device id; empty before the first start.</summary>
    public string Id { get; private set; } = "";

    public NodeClient Client { get; }

    /// <summary>Null while no process of it runs.</summary>
    public int? Process
    {
        get
        {
            try
            {
                int process = int.Parse(File.ReadAllText(Path.Combine(Data, "node.pid")), CultureInfo.InvariantCulture);

                // The number may belong to another by now.
                return File.ReadAllText($"/proc/{process}/cmdline").Contains(Data, StringComparison.Ordinal) ? process : null;
            }
            catch (Exception error) when (error is IOException or FormatException)
            {
                return null;
            }
        }
    }

    public Task<Ran> RunAsync(TimeSpan patience, params IReadOnlyList<string> words) => CommandLineProgram.RunAsync(Data, _temporary, _namespace, patience, words);

    /// <returns>Null when it is up; otherwise what went wrong.</returns>
    public async Task<string?> StartAsync()
    {
        Ran ran = await RunAsync(StartsWithin, "up", "--detach", "--name", Name, "--port", _port.ToString(CultureInfo.InvariantCulture), "--listen", _listen);
        if (ran.Code != 0)
        {
            return ran.ToString();
        }

        if (_port == 0)
        {
            StatusView status = await StatusAsync();
            Id = status.Id;
            _port = int.Parse(status.Addresses[0].Split(':')[^1], CultureInfo.InvariantCulture);
        }

        return null;
    }

    /// <inheritdoc cref="StartAsync"/>
    public async Task<string?> EndAsync()
    {
        Ran ran = await RunAsync(EndsWithin, "down");
        return ran.Code == 0 ? null : ran.ToString();
    }

    /// <summary>After a run that did not come to its end: programs would outlive their node.</summary>
    public async Task EndWithProgramsAsync()
    {
        if (Process is not null)
        {
            await RunAsync(EndsWithin, "down", "--end-programs");
        }
    }

    public async Task KillAsync()
    {
        if (Process is { } process)
        {
            ProcessFacts.Signal(process, ProcessFacts.SigKill);
            while (ProcessFacts.Exists(process) && Process == process)
            {
                await Task.Delay(5);
            }
        }
    }

    public Task<StatusView> StatusAsync() => Client.GetAsync("v1/status", ControlJson.Default.StatusView, TimeSpan.FromSeconds(10));

    public Task<JobView> JobAsync(string id) => Client.GetAsync($"v1/job?id={Uri.EscapeDataString(id)}", ControlJson.Default.JobView, TimeSpan.FromSeconds(30));
}
