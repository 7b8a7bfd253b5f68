using System.Net;
using System.Net.Sockets;
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

    // No request here reaches a service.
    private Task<ControlServer> StartAsync() => ControlServer.StartAsync(Path.Combine(_directory, "s"), null!);

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
