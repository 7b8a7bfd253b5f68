using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Node.Control;

namespace Soak.Nodes;

/// <summary>The node answered with a coded error.</summary>
internal sealed class CodedException(ProblemView problem) : Exception($"{problem.Code}: {problem.Message}")
{
    public ProblemView Problem => problem;
}

/// <summary>There is no node, or it went away in the middle of an answer.</summary>
internal sealed class LostException(Exception? cause) : Exception(cause?.Message ?? "the answer ended early", cause);

/// <summary>The control API of one node. Each question has a connection of its own, as each command line has.</summary>
internal sealed class NodeClient(string socket)
{
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, TimeSpan patience) => AskAsync(() => new HttpRequestMessage(HttpMethod.Get, path), type, patience);

    public Task<T> PostAsync<T>(string path, JsonTypeInfo<T> type, TimeSpan patience) => AskAsync(() => new HttpRequestMessage(HttpMethod.Post, path), type, patience);

    public Task<TOut> PostAsync<TIn, TOut>(string path, TIn body, JsonTypeInfo<TIn> bodyType, JsonTypeInfo<TOut> type, TimeSpan patience) =>
        AskAsync(() => new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) }, type, patience);

    public IAsyncEnumerable<CommandEvent> PipeAsync(PipeRequest request, CancellationToken cancel) => LinesAsync(
        new HttpRequestMessage(HttpMethod.Post, "v1/pipes") { Content = JsonContent.Create(request, ControlJson.Default.PipeRequest) }, ControlJson.Default.CommandEvent, cancel);

    public IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancel) => LinesAsync(
        new HttpRequestMessage(HttpMethod.Post, "v1/commands") { Content = JsonContent.Create(request, ControlJson.Default.CommandRequest) }, ControlJson.Default.CommandEvent, cancel);

    public async IAsyncEnumerable<OutputView> OutputAsync(string job, string? stream, int? attempt, long from, bool follow, [EnumeratorCancellation] CancellationToken cancel)
    {
        string path = $"v1/job/output?id={Uri.EscapeDataString(job)}&from={from}&follow={(follow ? "true" : "false")}" + (stream is null ? "" : $"&stream={stream}") + (attempt is null ? "" : $"&attempt={attempt}");
        await foreach (OutputView piece in LinesAsync(new HttpRequestMessage(HttpMethod.Get, path), ControlJson.Default.OutputView, cancel))
        {
            yield return piece;
        }
    }

    private async Task<T> AskAsync<T>(Func<HttpRequestMessage> request, JsonTypeInfo<T> type, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        using HttpClient http = Connect();
        try
        {
            using HttpResponseMessage answer = await SendAsync(http, request(), limit.Token);
            return (await answer.Content.ReadFromJsonAsync(type, limit.Token))!;
        }
        catch (Exception error) when (error is IOException or HttpRequestException or JsonException)
        {
            throw new LostException(error);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no answer within {patience.TotalSeconds} s");
        }
    }

    private async IAsyncEnumerable<T> LinesAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancel)
    {
        using HttpClient http = Connect();
        using HttpResponseMessage answer = await SendAsync(http, request, cancel);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancel));
        while (await ReadAsync(reader, cancel) is { } line)
        {
            if (typeof(T) != typeof(CommandEvent) && line.StartsWith("{\"type\":\"problem\"", StringComparison.Ordinal))
            {
                throw new CodedException(JsonSerializer.Deserialize(line, ControlJson.Default.CommandEvent)!.Problem!);
            }

            yield return JsonSerializer.Deserialize(line, type)!;
        }
    }

    private static async Task<string?> ReadAsync(StreamReader reader, CancellationToken cancel)
    {
        try
        {
            return await reader.ReadLineAsync(cancel);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw new LostException(error);
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }

            using (answer)
            {
                throw new CodedException((await answer.Content.ReadFromJsonAsync(ControlJson.Default.ProblemView, cancel))!);
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or JsonException)
        {
            throw new LostException(error);
        }
    }

    private HttpClient Connect()
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://node/"), Timeout = Timeout.InfiniteTimeSpan };
    }
}
