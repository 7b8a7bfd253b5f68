using System.Net.Sockets;
using System.Net;
using AgentMesh.Errors;
using AgentMesh.Node.Administration;
using AgentMesh.Remoting;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;

namespace AgentMesh.Node.Tests.Administration;

public sealed class AdministrationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Without_a_grant_nothing_that_a_device_sends_is_read()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("run", "logs", "introduce", "command:*");
        (MemoryStreamEnd mine, MemoryStreamEnd theirs) = await two.OpenAsync();
        await mine.WriteAsync("GET /v1/history HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), default);
        byte[] answer = new byte[100];

        Assert.Equal(1, await mine.ReadAsync(answer, default));
        Assert.Equal((byte)ControlAnswer.NotGranted, answer[0]);
        Assert.Equal(0, await mine.ReadAsync(answer, default));

        // All of it is still there.
        Assert.Equal("GET /v1/history HTTP/1.1\r\nHost: a\r\n\r\n".Length, await theirs.ReadAsync(answer, default));
        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => two.EnterAsync());
        Assert.Equal(AdministrationErrors.NotGranted, refused.Code);
        Assert.Contains("agentmesh grant laptop admin", refused.NextStep, StringComparison.Ordinal);

        // Twice within the minute, written once.
        Assert.Equal(["laptop: open a stream refused AM0179"], two.Written);
    }

    [Fact]
    public async Task A_connection_that_is_to_become_something_else_is_no_way_to_a_device()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        (NetworkStream stream, string head) = await two.AskForWayAsync("websocket", CancellationToken.None);
        await using (stream)
        {
            Assert.StartsWith("HTTP/1.1 4", head, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Output_comes_as_it_is_written_and_the_other_device_notices_that_the_reader_has_gone()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        using HttpClient client = two.Client();
        using HttpResponseMessage answer = await client.GetAsync("v1/job/output?id=1&follow=true", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());

        Assert.Contains("\"YQ==\"", await lines.ReadLineAsync().WaitAsync(Patience), StringComparison.Ordinal);
        answer.Dispose();

        await two.Asked.Left.Task.WaitAsync(Patience);
        await TestWait.UntilAsync(() => Task.FromResult(two.Written is ["laptop: GET /v1/job/output?id=1&follow=true cancelled"]), "the end is written");
    }

    [Fact]
    public async Task A_grant_that_is_taken_back_counts_at_once_for_what_is_open_and_for_what_comes()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        using HttpClient client = two.Client();
        using HttpResponseMessage answer = await client.GetAsync("v1/job/output?id=1&follow=true", HttpCompletionOption.ResponseHeadersRead);
        using Stream body = await answer.Content.ReadAsStreamAsync();
        Assert.NotEqual(0, await body.ReadAsync(new byte[1000]));

        two.Grant("run");

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await body.ReadAsync(new byte[1000]).AsTask().WaitAsync(Patience) > 0)
            {
            }
        });
        await two.Asked.Left.Task.WaitAsync(Patience);
        Assert.Equal(AdministrationErrors.NotGranted, (await Assert.ThrowsAsync<MeshException>(() => two.EnterAsync())).Code);
    }

    [Fact]
    public async Task Who_may_look_sees_and_changes_nothing()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin:read");
        using HttpClient client = two.Client();

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("v1/history")).StatusCode);
        foreach (string path in (string[])["v1/config", "v1/invitations", "v1/job/input?id=1", "v1/nothing"])
        {
            Assert.Contains("AM0179", await (await client.GetAsync(path)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        foreach (string path in (string[])["v1/job/cancel?id=1", "v1/commands", "v1/grants", "v1/history", "v1/shutdown"])
        {
            string text = await (await client.PostAsync(path, new StringContent("{}"))).Content.ReadAsStringAsync();
            Assert.Contains(path == "v1/shutdown" ? "AM0190" : path == "v1/history" ? "AM0179" : "agentmesh grant laptop admin", text, StringComparison.Ordinal);
        }

        Assert.Equal(0, two.Asked.Changes);

        // Each route once, whatever was refused before it.
        Assert.Single(two.Written, line => line == "laptop: GET /v1/config refused AM0179");
        Assert.Single(two.Written, line => line == "laptop: POST /v1/job/cancel?id=1 refused AM0179");
    }

    [Theory]
    [InlineData("POST", "v1/shutdown")]
    [InlineData("POST", "V1/Shutdown/")]
    [InlineData("POST", "v1/%73hutdown")]
    [InlineData("POST", "v1/compromised")]
    [InlineData("POST", "v1/devices/rotate-key")]
    [InlineData("GET", "v1/trace?seconds=1")]
    [InlineData("GET", "v1/on?device=third")]
    public async Task Some_requests_are_for_the_device_itself_whatever_was_granted(string method, string path)
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        using HttpClient client = two.Client();

        using HttpResponseMessage answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("AM0190", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, two.Asked.Changes);
        Assert.Contains("refused AM0190", Assert.Single(two.Written), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_device_has_so_many_streams_and_gets_another_when_one_has_ended()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        IMeshStream[] open = await Task.WhenAll(Enumerable.Range(0, ControlStream.StreamsMax).Select(_ => two.EnterAsync()));
        Assert.Equal(AdministrationErrors.TooManyStreams, (await Assert.ThrowsAsync<MeshException>(() => two.EnterAsync())).Code);

        open[3].Abort(StreamCodes.Done);

        await TestWait.UntilAsync(async () => await Record.ExceptionAsync(() => two.EnterAsync()) is null, "there is room again");
    }

    [Fact]
    public async Task Bytes_that_are_no_request_end_their_stream_and_nothing_else()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        foreach (byte[] bytes in (byte[][])[[0, 255, 13, 10, 13, 10], [.. Enumerable.Repeat((byte)'A', 100_000)], [.. "GET / HTTP/9.9\r\n\r\n"u8]])
        {
            IMeshStream stream = await two.EnterAsync();
            await Record.ExceptionAsync(async () => await stream.WriteAsync(bytes, default).AsTask().WaitAsync(Patience));
            byte[] answer = new byte[4_096];
            Exception? end = await Record.ExceptionAsync(async () =>
            {
                while (await stream.ReadAsync(answer, default).AsTask().WaitAsync(Patience) > 0)
                {
                }
            });
            Assert.True(end is null or IOException, end?.ToString());
        }

        using HttpClient client = two.Client();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("v1/history")).StatusCode);
        Assert.Equal(0, two.Asked.Changes);
    }

    [Fact]
    public async Task What_only_shows_is_written_once_a_minute_and_what_does_something_each_time()
    {
        var clock = new StandingClock();
        await using TwoDevices two = await TwoDevices.StartAsync(clock);
        two.Grant("admin");
        using HttpClient client = two.Client();
        for (int i = 0; i < 3; i++)
        {
            await client.GetAsync("v1/history?limit=1");
            await client.PostAsync("v1/job/cancel?id=1", null);
        }

        Assert.Equal(["laptop: GET /v1/history?limit=1 succeeded", .. Enumerable.Repeat("laptop: POST /v1/job/cancel?id=1 failed", 3)], two.Written);
        clock.Advance(TimeSpan.FromMinutes(1));
        await client.GetAsync("v1/history?limit=1");
        Assert.Equal(5, two.Written.Length);
    }

    [Theory]
    [InlineData(StreamCodes.UnknownService, AdministrationErrors.TooOld)]
    [InlineData(StreamCodes.TooManyStreams, AdministrationErrors.TooManyStreams)]
    [InlineData(StreamCodes.ShuttingDown, AdministrationErrors.WayLost)]
    public async Task What_the_other_device_answers_has_a_code_of_its_own(ulong aborted, string code)
    {
        (MemoryConnection here, MemoryConnection there) = MemoryConnection.Pair(TwoDevices.Laptop.PublicKey, TwoDevices.Lab.PublicKey);
        Task<IMeshStream> entering = RemoteControl.EnterAsync("lab", "laptop", cancel => here.OpenStreamAsync(StreamPriority.Ordinary, cancel), TimeProvider.System, default);
        (await there.AcceptStreamAsync(default))!.Abort(aborted);

        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => entering);

        Assert.Equal(code, refused.Code);
        Assert.NotNull(refused.NextStep);
    }

    [Theory]
    [InlineData(null, "AM0192")]
    [InlineData((byte)1, "AM0179")]
    [InlineData((byte)2, "AM0191")]
    [InlineData((byte)200, "AM0179")]
    public async Task A_first_byte_that_does_not_let_in_is_a_refusal(byte? answer, string code)
    {
        (MemoryConnection here, MemoryConnection there) = MemoryConnection.Pair(TwoDevices.Laptop.PublicKey, TwoDevices.Lab.PublicKey);
        Task<IMeshStream> entering = RemoteControl.EnterAsync("lab", "laptop", cancel => here.OpenStreamAsync(StreamPriority.Ordinary, cancel), TimeProvider.System, default);
        IMeshStream theirs = (await there.AcceptStreamAsync(default))!;
        await theirs.WriteAsync(answer is { } given ? new[] { given } : ReadOnlyMemory<byte>.Empty, default);
        await theirs.CompleteWritesAsync();

        Assert.Equal(code, (await Assert.ThrowsAsync<MeshException>(() => entering)).Code);
    }

    [Fact]
    public async Task A_question_for_the_way_that_asks_for_no_other_protocol_is_refused()
    {
        await using TwoDevices two = await TwoDevices.StartAsync();
        two.Grant("admin");
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await connection.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(two.Socket), cancel);
                return new System.Net.Sockets.NetworkStream(connection, ownsSocket: true);
            },
        });

        Assert.Contains("AM0208", await (await client.GetAsync("http://laptop/v1/on?device=lab")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
