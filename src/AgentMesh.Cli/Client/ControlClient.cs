using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Client;

/// <summary>The control API of a running node, over its Unix socket. One connection pool for the life of the object.</summary>
internal sealed class ControlClient : IDisposable
{
    /// <summary>One line of a streamed answer: an output chunk is at most 64 KiB, in base64 and with its names.</summary>
    private const int LineBytesMax = 4 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly string _socket;

    public ControlClient(string socket)
    {
        _socket = socket;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken).ConfigureAwait(false);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://agentmesh/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose() => _http.Dispose();

    /// <exception cref="MeshException">What the node says, or AM0220 where none runs.</exception>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return await Read(answer, type, cancellationToken).ConfigureAwait(false);
    }

    public async Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) };
        using HttpResponseMessage answer = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        return await Read(answer, type, cancellationToken).ConfigureAwait(false);
    }

    public async Task<TAnswer> PostAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path), cancellationToken).ConfigureAwait(false);
        return await Read(answer, type, cancellationToken).ConfigureAwait(false);
    }

    public async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, "v1/shutdown"), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The events of one command line, as they come.</summary>
    public IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancellationToken) =>
        LinesAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "v1/commands") { Content = JsonContent.Create(request, ControlJson.Default.CommandRequest) },
            ControlJson.Default.CommandEvent,
            cancellationToken);

    /// <summary>Round trips as they are answered, then their summary.</summary>
    public IAsyncEnumerable<PingEvent> PingAsync(PingRequest request, CancellationToken cancellationToken) =>
        LinesAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "v1/ping") { Content = JsonContent.Create(request, ControlJson.Default.PingRequest) },
            ControlJson.Default.PingEvent,
            cancellationToken);

    public IAsyncEnumerable<OutputView> OutputAsync(
        string job, string? stream, int? attempt, long from, bool follow, CancellationToken cancellationToken) =>
        LinesAsync(
            () => new HttpRequestMessage(
                HttpMethod.Get,
                $"v1/job/output?id={Uri.EscapeDataString(job)}&from={from}&follow={(follow ? "true" : "false")}" +
                (stream is null ? "" : $"&stream={stream}") + (attempt is null ? "" : $"&attempt={attempt}")),
            ControlJson.Default.OutputView,
            cancellationToken);

    private async IAsyncEnumerable<T> LinesAsync<T>(
        Func<HttpRequestMessage> request, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await SendAsync(request(), cancellationToken).ConfigureAwait(false);
        Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            using var reader = new StreamReader(body);
            while (await ReadLine(reader, cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.StartsWith("{\"type\":\"problem\"", StringComparison.Ordinal) && typeof(T) != typeof(CommandEvent))
                {
                    throw ToException(JsonSerializer.Deserialize(line, ControlJson.Default.CommandEvent)!.Problem!);
                }

                yield return JsonSerializer.Deserialize(line, type)!;
            }
        }
    }

    private static async ValueTask<string?> ReadLine(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            string? line = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
            return line is { Length: > LineBytesMax } ? throw Lost(null) : line;
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw Lost(error);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException error) when (Find<SocketException>(error) is not null)
        {
            throw new MeshException(
                CliErrors.NoNode, $"no node is running here ({_socket})", "start one with 'agentmesh up', or name another data directory with --data-dir", error);
        }
        catch (HttpRequestException error)
        {
            throw Lost(error);
        }

        if (answer.IsSuccessStatusCode)
        {
            return answer;
        }

        using (answer)
        {
            ProblemView problem = await answer.Content.ReadFromJsonAsync(ControlJson.Default.ProblemView, cancellationToken).ConfigureAwait(false)
                ?? new ProblemView(CliErrors.ConnectionLost, $"the node answered {(int)answer.StatusCode}", null);
            throw ToException(problem);
        }
    }

    private static async Task<T> Read<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return (await answer.Content.ReadFromJsonAsync(type, cancellationToken).ConfigureAwait(false))!;
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw Lost(error);
        }
    }

    private static MeshException Lost(Exception? error) => new(
        CliErrors.ConnectionLost,
        "the node went away in the middle of an answer",
        "accepted jobs are safe: when the node is up again, 'agentmesh job list' shows them and 'agentmesh job logs ID --from OFFSET' goes on",
        error);

    private static MeshException ToException(ProblemView problem) => new(problem.Code, problem.Message, problem.Next);

    private static T? Find<T>(Exception? error)
        where T : Exception
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is T found)
            {
                return found;
            }
        }

        return null;
    }
}
