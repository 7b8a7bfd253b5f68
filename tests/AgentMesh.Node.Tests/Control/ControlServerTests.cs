using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Tests.Control;

public sealed class ControlServerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-cs-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>A node works in its data directory: what watches that is woken by each write to the journal.</summary>
    [Fact]
    public async Task Watches_no_files()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int before = WatchedFiles();
        await using ControlServer server = await StartAsync();
        Assert.Equal(before, WatchedFiles());
    }

    [Fact]
    public async Task Answers_a_request_that_it_does_not_know_with_a_problem()
    {
        await using ControlServer server = await StartAsync();
        using HttpClient client = Connect();
        using HttpResponseMessage answer = await client.GetAsync("v1/nothing");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("\"AM", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*/*")]
    [InlineData("application/json")]
    public async Task Output_comes_as_lines_for_who_knows_nothing_else(string? accept)
    {
        await using ControlServer server = await StartAsync(OutputServices.Of(Piece(0, 1, 2, 255), Piece(3, 4)));
        (string type, byte[] body) = await GetAsync(accept);
        Assert.Equal("application/x-ndjson", type);
        Assert.Equal(
            """
            {"attempt":1,"stream":"stdout","offset":0,"data":"AQL/"}
            {"attempt":1,"stream":"stdout","offset":3,"data":"BA=="}

            """.ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(body));
    }

    [Fact]
    public async Task Output_comes_as_it_is_behind_its_head_for_who_accepts_that()
    {
        byte[] large = new byte[200_000];
        new Random(3).NextBytes(large);
        await using ControlServer server = await StartAsync(OutputServices.Of(Piece(0, 1, 2, 255), Piece(3, large)));
        (string type, byte[] body) = await GetAsync(EventFrames.MediaType);
        Assert.Equal(EventFrames.MediaType, type);
        int at = 0;
        foreach (OutputView piece in (OutputView[])[Piece(0, 1, 2, 255), Piece(3, large)])
        {
            Assert.True(EventFrames.TryReadHeader(body.AsSpan(at), out int head, out int data));
            at += EventFrames.HeaderBytes;
            Assert.Equal($$"""{"attempt":1,"stream":"stdout","offset":{{piece.Offset}},"data":""}""", Encoding.UTF8.GetString(body, at, head));
            Assert.True(body.AsSpan(at + head, data).SequenceEqual(piece.Data.Span));
            at += head + data;
        }

        Assert.Equal(body.Length, at);
    }

    [Fact]
    public async Task A_failure_in_the_middle_is_the_last_event_in_both_forms()
    {
        await using ControlServer server = await StartAsync(OutputServices.Of(Piece(0, 1), null));
        const string problem = """{"type":"problem",""";
        (_, byte[] lines) = await GetAsync(null);
        Assert.StartsWith(problem, Encoding.UTF8.GetString(lines).Split('\n')[1], StringComparison.Ordinal);

        (_, byte[] frames) = await GetAsync(EventFrames.MediaType);
        Assert.True(EventFrames.TryReadHeader(frames, out int head, out int data));
        byte[] last = frames[(EventFrames.HeaderBytes + head + data)..];
        Assert.True(EventFrames.TryReadHeader(last, out head, out data));
        Assert.Equal((last.Length - EventFrames.HeaderBytes, 0), (head, data));
        Assert.StartsWith(problem, Encoding.UTF8.GetString(last[EventFrames.HeaderBytes..]), StringComparison.Ordinal);
    }

    private static OutputView Piece(long offset, params byte[] data) => new(1, "stdout", offset, data);

    private async Task<(string Type, byte[] Body)> GetAsync(string? accept)
    {
        using HttpClient client = Connect();
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/job/output?id=1");
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        using HttpResponseMessage answer = await client.SendAsync(request);
        return (answer.Content.Headers.ContentType!.MediaType!, await answer.Content.ReadAsByteArrayAsync());
    }

    /// <param name="services">Null where no request reaches any.</param>
    private Task<ControlServer> StartAsync(IControlServices? services = null) => ControlServer.StartAsync(Path.Combine(_directory, "s"), services!);

    private HttpClient Connect() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_directory, "s")), cancel);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://node/"),
    };

    private static int WatchedFiles()
    {
        int count = 0;
        foreach (string file in Directory.GetFiles("/proc/self/fdinfo"))
        {
            try
            {
                count += File.ReadLines(file).Count(line => line.StartsWith("inotify wd:", StringComparison.Ordinal));
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }

        return count;
    }
}
