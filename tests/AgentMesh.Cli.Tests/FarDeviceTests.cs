using System.Net.Sockets;
using System.Text;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

/// <summary>A client that asks another device by way of the node of this one, which answers as the test says.</summary>
public sealed class FarDeviceTests : IDisposable
{
    private const string Open = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: agentmesh-control\r\n\r\n";

    private readonly StandInNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task The_way_is_asked_for_first_and_the_question_follows_when_it_is_open()
    {
        using ControlClient client = Client();
        Task<ConfigView> asking = client.GetAsync("v1/config", ControlJson.Default.ConfigView, CancellationToken.None);
        using Socket connection = await _node.AcceptAsync();
        Assert.StartsWith("GET /v1/on?device=the%20lab HTTP/1.1\r\n", await StandInNode.HeadAsync(connection), StringComparison.Ordinal);
        await connection.SendAsync(Encoding.ASCII.GetBytes(Open));
        Assert.StartsWith("GET /v1/config HTTP/1.0\r\n", await StandInNode.HeadAsync(connection), StringComparison.Ordinal);
        await connection.SendAsync("HTTP/1.1 200 OK\r\n\r\n{\"text\":\"there\"}"u8.ToArray());
        connection.Shutdown(SocketShutdown.Both);

        Assert.Equal("there", (await asking).Text);
    }

    [Fact]
    public async Task Why_the_way_is_shut_is_told_for_questions_and_for_streams()
    {
        using ControlClient client = Client();
        Task<ConfigView> asking = client.GetAsync("v1/config", ControlJson.Default.ConfigView, CancellationToken.None);
        await RefuseAsync("AM0179");
        Assert.Equal("AM0179", (await Assert.ThrowsAsync<MeshException>(() => asking)).Code);

        ValueTask<bool> following = client.OutputAsync("job", null, null, 0, true, CancellationToken.None).GetAsyncEnumerator().MoveNextAsync();
        await RefuseAsync("AM0304");
        Assert.Equal("AM0304", (await Assert.ThrowsAsync<MeshException>(async () => await following)).Code);
    }

    [Theory]
    [InlineData("AM0179")]
    [InlineData(null)]
    public async Task An_answer_that_is_cut_off_is_asked_about_and_ends_with_the_reason(string? reason)
    {
        using ControlClient client = Client();
        IAsyncEnumerator<OutputView> output = client.OutputAsync("job", null, null, 0, true, CancellationToken.None).GetAsyncEnumerator();
        ValueTask<bool> first = output.MoveNextAsync();
        using (Socket connection = await _node.AcceptAsync())
        {
            await StandInNode.HeadAsync(connection);
            await connection.SendAsync(Encoding.ASCII.GetBytes(Open));
            await StandInNode.HeadAsync(connection);
            const string line = "{\"attempt\":1,\"stream\":\"stdout\",\"offset\":0,\"data\":\"b3V0\"}\n";
            await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{line.Length:x}\r\n{line}\r\n"));
            Assert.True(await first);
        }

        Task<bool> second = output.MoveNextAsync().AsTask();
        if (reason is not null)
        {
            await RefuseAsync(reason);
        }
        else
        {
            using Socket again = await _node.AcceptAsync();
            await StandInNode.HeadAsync(again);
            await again.SendAsync(Encoding.ASCII.GetBytes(Open));
        }

        Assert.Equal(reason ?? CliErrors.WayLost, (await Assert.ThrowsAsync<MeshException>(() => second)).Code);
    }

    [Fact]
    public async Task A_node_that_is_older_than_this_and_knows_no_way_is_no_riddle()
    {
        using ControlClient client = Client();
        Task<ConfigView> asking = client.GetAsync("v1/config", ControlJson.Default.ConfigView, CancellationToken.None);
        using Socket connection = await _node.AcceptAsync();
        await StandInNode.HeadAsync(connection);
        await connection.SendAsync("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"u8.ToArray());

        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => asking);
        Assert.Equal(CliErrors.Usage, refused.Code);
        Assert.Contains("agentmesh down", refused.NextStep, StringComparison.Ordinal);
    }

    private ControlClient Client() => new(_node.SocketPath, null, new FarDevice("@the lab"));

    private async Task RefuseAsync(string code)
    {
        using Socket connection = await _node.AcceptAsync();
        await StandInNode.HeadAsync(connection);
        string problem = $$"""{"code":"{{code}}","message":"why","next":"what"}""";
        await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 400 Bad Request\r\nContent-Length: {problem.Length}\r\n\r\n{problem}"));
    }
}
