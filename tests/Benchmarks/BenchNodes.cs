using System.Diagnostics;
using System.Net.Sockets;

namespace Benchmarks;

/// <summary>Nodes on this machine, each a process with a data directory of its own, paired with the first of them.</summary>
internal sealed class BenchNodes : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-bench-").FullName;
    private readonly string _program = Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") ?? throw new InvalidOperationException("run it with ./agentmesh bench");
    private readonly string[] _names;

    private BenchNodes(string[] names) => _names = names;

    /// <summary>Returns when the first reaches all the others.</summary>
    public static async Task<BenchNodes> StartAsync(params string[] names)
    {
        var nodes = new BenchNodes(names);
        foreach (string name in names)
        {
            nodes.Cli(name, "up", "--detach", "--name", name, "--port", "0", "--listen", "127.0.0.1");
        }

        foreach (string name in names[1..])
        {
            nodes.Cli(name, "join", nodes.Cli(names[0], "invite", "--link").Trim());
            for (int i = 0; i < 100 && nodes.Cli(names[0], "@" + name, "calc", "1+2") != "3\n"; i++)
            {
                await Task.Delay(100);
            }
        }

        return nodes;
    }

    /// <returns>What it printed.</returns>
    public string Cli(string name, params string[] words)
    {
        var start = new ProcessStartInfo("dotnet", [_program, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["AGENTMESH_DATA_DIR"] = Path.Combine(_directory, name);
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    /// <summary>What the processes of all nodes have used of the processors since they started; it moves less than time where other work goes on beside.</summary>
    public TimeSpan ProcessorTime() => _names.Aggregate(TimeSpan.Zero, (sum, name) => sum + ProcessorTimeOf(name));

    /// <param name="connections">At the same time.</param>
    public HttpClient Connect(string name, int connections) => new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = connections,
        ConnectCallback = async (_, cancel) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_directory, name, "control.sock")), cancel);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://node/"),
    };

    private TimeSpan ProcessorTimeOf(string name)
    {
        using var node = Process.GetProcessById(int.Parse(File.ReadAllText(Path.Combine(_directory, name, "node.pid")), System.Globalization.CultureInfo.InvariantCulture));
        return node.TotalProcessorTime;
    }

    public ValueTask DisposeAsync()
    {
        foreach (string name in _names)
        {
            Cli(name, "down", "--end-programs");
        }

        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
