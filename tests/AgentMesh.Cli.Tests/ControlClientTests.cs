using System.Net.Sockets;
using System.Text;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

/// <summary>A client of a node that takes connections and says nothing, as a stopped process does, or goes away.</summary>
public sealed class ControlClientTests : IDisposable
{
    private readonly StandInNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_question_to_a_node_that_is_stopped_ends_with_a_code_when_its_time_is_over()
    {
        using var client = new ControlClient(_node.SocketPath, TimeSpan.FromMilliseconds(50));

        MeshException late = await Assert.ThrowsAsync<MeshException>(() => client.GetAsync("v1/status", ControlJson.Default.StatusView, CancellationToken.None));

        Assert.Equal(CliErrors.TimedOut, late.Code);
    }

    [Fact]
    public async Task A_command_to_a_node_that_is_stopped_ends_with_a_code_when_its_time_is_over()
    {
        using var client = new ControlClient(_node.SocketPath, TimeSpan.FromMilliseconds(50));

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
        using var client = new ControlClient(_node.SocketPath, TimeSpan.FromSeconds(2));
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
    public async Task Output_is_asked_for_in_frames_and_read_from_them()
    {
        using var client = new ControlClient(_node.SocketPath);
        IAsyncEnumerator<OutputView> output = client.OutputAsync("job", null, null, 0, true, CancellationToken.None).GetAsyncEnumerator();
        ValueTask<bool> first = output.MoveNextAsync();
        using Socket connection = await _node.AcceptAsync();
        Assert.Contains($"Accept: {EventFrames.MediaType}", await StandInNode.HeadAsync(connection), StringComparison.Ordinal);
        byte[] frames = [.. Frame("""{"attempt":1,"stream":"stdout","offset":0,"data":""}"""u8, 1, 2, 255), .. Frame("""{"attempt":1,"stream":"stderr","offset":0,"data":""}"""u8)];
        await AnswerAsync(connection, frames);

        Assert.True(await first);
        Assert.Equal("stdout", output.Current.Stream);
        Assert.Equal([1, 2, 255], output.Current.Data.ToArray());
        Assert.True(await output.MoveNextAsync());
        Assert.Equal("stderr", output.Current.Stream);
        Assert.Empty(output.Current.Data.ToArray());
        Assert.False(await output.MoveNextAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, 65 })]
    [InlineData(new byte[] { 255, 255, 255, 127, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 2, 0, 0, 0, 255, 255, 255, 255, 123, 125 })]
    [InlineData(new byte[] { 2, 0, 0, 0, 2, 0, 0, 0, 123, 125, 1 })]
    public async Task An_answer_that_is_no_frame_or_a_part_of_one_is_a_lost_connection(byte[] frames)
    {
        using var client = new ControlClient(_node.SocketPath);
        IAsyncEnumerator<OutputView> output = client.OutputAsync("job", null, null, 0, true, CancellationToken.None).GetAsyncEnumerator();
        ValueTask<bool> first = output.MoveNextAsync();
        using Socket connection = await _node.AcceptAsync();
        await AnswerAsync(connection, frames);

        MeshException lost = await Assert.ThrowsAsync<MeshException>(async () => await first);

        Assert.Equal(CliErrors.ConnectionLost, lost.Code);
    }

    [Fact]
    public async Task The_callers_own_end_of_waiting_is_no_error_of_the_node()
    {
        using var client = new ControlClient(_node.SocketPath);
        using var caller = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAsync("v1/status", ControlJson.Default.StatusView, caller.Token));
    }

    [Fact]
    public async Task A_refusal_that_is_cut_off_is_a_lost_connection()
    {
        using var client = new ControlClient(_node.SocketPath);
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
        using var client = new ControlClient(_node.SocketPath);
        Task<StatusView> asking = client.GetAsync("v1/status", ControlJson.Default.StatusView, CancellationToken.None);
        Socket connection = await _node.AcceptAsync();
        await connection.ReceiveAsync(new byte[1]);

        // The rest of the request is not read: closing resets the connection.
        connection.Dispose();

        MeshException lost = await Assert.ThrowsAsync<MeshException>(() => asking);

        Assert.Equal(CliErrors.ConnectionLost, lost.Code);
    }

    private static byte[] Frame(ReadOnlySpan<byte> head, params byte[] data) => [.. BitConverter.GetBytes(head.Length), .. BitConverter.GetBytes(data.Length), .. head, .. data];

    private static async Task AnswerAsync(Socket connection, byte[] body)
    {
        await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {EventFrames.MediaType}\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n"));
        await connection.SendAsync(body);
        await connection.SendAsync("\r\n0\r\n\r\n"u8.ToArray());
    }
}
