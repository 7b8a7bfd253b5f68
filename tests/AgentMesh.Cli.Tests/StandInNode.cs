using System.Net.Sockets;
using System.Text;

namespace AgentMesh.Cli.Tests;

/// <summary>A control socket at which a test answers in place of a node. What does not come within half a minute fails the test instead of leaving it waiting.</summary>
internal sealed class StandInNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-node-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public StandInNode()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen();
    }

    public string SocketPath => Path.Combine(_directory, "control.sock");

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The next client.</summary>
    public async Task<Socket> AcceptAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        return await _listener.AcceptAsync(late.Token);
    }

    /// <summary>The head of a request, with its empty line.</summary>
    public static async Task<string> HeadAsync(Socket connection)
    {
        using var late = new CancellationTokenSource(Patience);
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, await connection.ReceiveAsync(one, late.Token));
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
