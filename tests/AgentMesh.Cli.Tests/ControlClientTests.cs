using System.Net.Sockets;
using System.Text;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

/// <summary>A client of a node that takes connections and says nothing, as a stopped process does, or goes away.</summary>
public sealed class ControlClientTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-client-").FullName;
    private readonly Socket _node = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public ControlClientTests()
    {
        _node.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _node.Listen();
    }

    private string SocketPath => Path.Combine(_directory, "control.sock");

    public void Dispose()
    {
        _node.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_question_to_a_node_that_is_stopped_ends_with_a_code_when_its_time_is_over()
    {
        using var client = new ControlClient(SocketPath, TimeSpan.FromMilliseconds(50));

        MeshException late = await Assert.ThrowsAsync<MeshException>(() => client.GetAsync("v1/status", ControlJson.Default.StatusView, CancellationToken.None));

        Assert.Equal(CliErrors.TimedOut, late.Code);
    }

    [Fact]
    public async Task A_command_to_a_node_that_is_stopped_ends_with_a_code_when_its_time_is_over()
    {
        using var client = new ControlClient(SocketPath, TimeSpan.FromMilliseconds(50));

        MeshException late = await Assert.ThrowsAsync<MeshException>(async () =>
        {
            await foreach (CommandEvent _ in client.RunAsync(new CommandRequest("calc 1"), CancellationToken.None))
            {
            }
        });

        Assert.Equal(CliErrors.TimedOut, late.Code);
    }

    [Fact]
    public async Task Output_that_stops_in_the_middle_ends_with_a_code_when_its_time_is_over()
    {
        using var client = new ControlClient(SocketPath, TimeSpan.FromSeconds(2));
        IAsyncEnumerator<OutputView> output = client.OutputAsync("job", null, null, 0, true, CancellationToken.None).GetAsyncEnumerator();
        ValueTask<bool> first = output.MoveNextAsync();
        using Socket connection = await _node.AcceptAsync();
        string line = "{\"attempt\":1,\"stream\":\"stdout\",\"offset\":0,\"data\":\"b3V0\"}\n";
        await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{line.Length:x}\r\n{line}\r\n"));

        MeshException late = await Assert.ThrowsAsync<MeshException>(async () =>
        {
            Assert.True(await first);
            await output.MoveNextAsync();
        });
        Assert.Equal(CliErrors.TimedOut, late.Code);
    }

    [Fact]
    public async Task The_callers_own_end_of_waiting_is_no_error_of_the_node()
    {
        using var client = new ControlClient(SocketPath);
        using var caller = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAsync("v1/status", ControlJson.Default.StatusView, caller.Token));
    }

    [Fact]
    public async Task A_refusal_that_is_cut_off_is_a_lost_connection()
    {
        using var client = new ControlClient(SocketPath);
        Task<StatusView> asking = client.GetAsync("v1/status", ControlJson.Default.StatusView, CancellationToken.None);
        Socket connection = await _node.AcceptAsync();
        await connection.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray());
        connection.Dispose();

        MeshException lost = await Assert.ThrowsAsync<MeshException>(() => asking);

        Assert.Equal(CliErrors.ConnectionLost, lost.Code);
    }

    [Fact]
    public async Task A_connection_that_is_reset_is_a_lost_connection_and_not_a_missing_node()
    {
        using var client = new ControlClient(SocketPath);
        Task<StatusView> asking = client.GetAsync("v1/status", ControlJson.Default.StatusView, CancellationToken.None);
        Socket connection = await _node.AcceptAsync();
        await connection.ReceiveAsync(new byte[1]);

        // The rest of the request is not read: closing resets the connection.
        connection.Dispose();

        MeshException lost = await Assert.ThrowsAsync<MeshException>(() => asking);

        Assert.Equal(CliErrors.ConnectionLost, lost.Code);
    }
}
