using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Cli.Interactive;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Client;

/// <summary>The control API of a running node, over its Unix socket. One connection pool for the life of the object.</summary>
internal sealed class ControlClient : IDisposable
{
    /// <summary>Every question that is answered at once; the node's own deadlines are shorter.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(60);

    /// <summary>A node that is well ends a command by itself when its time is over, and says more about it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>For what streams; one question goes without it.</summary>
    private readonly Lazy<HttpClient> _http;
    private readonly string _socket;
    private readonly TimeSpan? _within;
    private readonly FarDevice? _on;

    /// <param name="on">The device that is asked by way of the node of this one; null for that node itself.</param>
    /// <param name="within">Longest wait for the end of each answer; null for no bound of commands and output that is followed.</param>
    public ControlClient(string socket, TimeSpan? within = null, FarDevice? on = null)
    {
        _socket = socket;
        _within = within;
        _on = on;
        _http = new Lazy<HttpClient>(Connect);
    }

    public void Dispose()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    /// <exception cref="MeshException">What the node says, AM0220 where none runs, or AM0224: it does not answer.</exception>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        AskAsync("GET", path, null, type, cancellationToken);

    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken) =>
        AskAsync("POST", path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), type, cancellationToken);

    public Task<TAnswer> PostAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken) =>
        AskAsync("POST", path, null, type, cancellationToken);

    public async Task ShutdownAsync(bool endPrograms, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_within ?? AnswerWithin, cancellationToken);
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, endPrograms ? "v1/shutdown?programs=end" : "v1/shutdown"), patience).ConfigureAwait(false);
    }

    /// <summary>The events of one command line, as they come.</summary>
    public IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancellationToken) =>
        EventsAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "v1/commands") { Content = JsonContent.Create(request, ControlJson.Default.CommandRequest) },
            ControlJson.Default.CommandEvent,
            EventFrames.Join,
            _within + Grace,
            cancellationToken);

    /// <summary>The events of a pipe, as they come.</summary>
    public IAsyncEnumerable<CommandEvent> PipeAsync(PipeRequest request, CancellationToken cancellationToken) =>
        EventsAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "v1/pipes") { Content = JsonContent.Create(request, ControlJson.Default.PipeRequest) },
            ControlJson.Default.CommandEvent,
            EventFrames.Join,
            _within + Grace,
            cancellationToken);

    /// <summary>Round trips as they are answered, then their summary.</summary>
    public IAsyncEnumerable<PingEvent> PingAsync(PingRequest request, CancellationToken cancellationToken) =>
        EventsAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "v1/ping") { Content = JsonContent.Create(request, ControlJson.Default.PingRequest) },
            ControlJson.Default.PingEvent,
            null,
            null,
            cancellationToken);

    /// <exception cref="MeshException">AM0221: the node has gone. Why it refuses the input stands in <see cref="InputLink.Closed"/>.</exception>
    public async Task<InputLink> OpenInputAsync(string job, CancellationToken cancellationToken)
    {
        try
        {
            return await InputLink.OpenAsync(_http.Value, job, cancellationToken).ConfigureAwait(false);
        }
        catch (System.Net.WebSockets.WebSocketException error) when (Find<MeshException>(error) is { } refused)
        {
            throw refused;
        }
        catch (System.Net.WebSockets.WebSocketException error)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }
    }

    /// <param name="tail">Lines before the end, instead of <paramref name="from"/>.</param>
    /// <param name="at">The device to ask; null for the home of the job.</param>
    public IAsyncEnumerable<OutputView> OutputAsync(
        string job, string? stream, int? attempt, long from, bool follow, CancellationToken cancellationToken, int? tail = null, string? at = null, long? fromEvent = null) =>
        EventsAsync(
            () => new HttpRequestMessage(
                HttpMethod.Get,
                $"v1/job/output?id={Uri.EscapeDataString(job)}&from={from}&follow={(follow ? "true" : "false")}" +
                (stream is null ? "" : $"&stream={Uri.EscapeDataString(stream)}") + (attempt is null ? "" : $"&attempt={attempt}") +
                (tail is null ? "" : $"&tail={tail}") + (fromEvent is null ? "" : $"&fromEvent={fromEvent}") + (at is null ? "" : $"&at={Uri.EscapeDataString(at)}")),
            ControlJson.Default.OutputView,
            EventFrames.Join,
            _within,
            cancellationToken);

    /// <summary>Copies an answer that is no JSON.</summary>
    public async Task DownloadAsync(string path, Stream to, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_within, cancellationToken);
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), patience).ConfigureAwait(false);
        try
        {
            await answer.Content.CopyToAsync(to, patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or HttpIOException)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw patience.Late();
        }
    }

    public async Task<T> UploadAsync<T>(string path, Stream content, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_within, cancellationToken);
        using HttpResponseMessage answer = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StreamContent(content) }, patience).ConfigureAwait(false);
        return await ReadAsync(answer, type, patience).ConfigureAwait(false);
    }

    private async Task<T> AskAsync<T>(string method, string path, byte[]? body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_within ?? AnswerWithin, cancellationToken);
        try
        {
            (int status, ReadOnlyMemory<byte> answer) = await PlainHttp.AskAsync(_socket, method, path, body, _on, patience.Token).ConfigureAwait(false);
            return status is >= 200 and < 300
                ? JsonSerializer.Deserialize(answer.Span, type)!
                : throw ToException(JsonSerializer.Deserialize(answer.Span, ControlJson.Default.ProblemView) ?? new ProblemView(CliErrors.ConnectionLost, $"the node answered {status}", null));
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw patience.Late();
        }
        catch (NobodyListensException error)
        {
            throw NoNode(error);
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }
    }

    /// <param name="join">Puts the data of a frame into its event; null for events without any, which come as lines.</param>
    private async IAsyncEnumerable<T> EventsAsync<T>(
        Func<HttpRequestMessage> request, JsonTypeInfo<T> type, Func<T, ReadOnlyMemory<byte>, T>? join, TimeSpan? within, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var patience = new Patience(within, cancellationToken);
        HttpRequestMessage question = request();
        if (join is not null)
        {
            question.Headers.Accept.ParseAdd(EventFrames.MediaType);
        }

        using HttpResponseMessage answer = await SendAsync(question, patience).ConfigureAwait(false);
        Stream body = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            // An older node answers with lines whatever is asked for.
            bool isFramed = answer.Content.Headers.ContentType?.MediaType == EventFrames.MediaType;
            using var events = new EventReader(body, isFramed);
            while (await Next(events, patience).ConfigureAwait(false) is var (head, data))
            {
                if (head.Span.StartsWith("{\"type\":\"problem\""u8) && typeof(T) != typeof(CommandEvent))
                {
                    throw ToException(JsonSerializer.Deserialize(head.Span, ControlJson.Default.CommandEvent)!.Problem!);
                }

                T happened = JsonSerializer.Deserialize(head.Span, type)!;
                yield return isFramed && join is not null ? join(happened, data) : happened;
            }
        }
    }

    private async ValueTask<(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Data)?> Next(EventReader events, Patience patience)
    {
        try
        {
            return await events.NextAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw patience.Late();
        }
    }

    private HttpClient Connect()
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellationToken) => new NetworkStream(await Task.Run(() => ControlSocket.Open(_socket, _on, cancellationToken), cancellationToken).ConfigureAwait(false), ownsSocket: true),
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://agentmesh/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Patience patience)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await _http.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw patience.Late();
        }
        catch (HttpRequestException error) when (Find<NobodyListensException>(error) is not null)
        {
            throw NoNode(error);
        }
        catch (HttpRequestException error) when (Find<MeshException>(error) is { } refused)
        {
            throw refused;
        }
        catch (HttpRequestException error)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }

        if (answer.IsSuccessStatusCode)
        {
            return answer;
        }

        using (answer)
        {
            ProblemView problem = await ReadAsync(answer, ControlJson.Default.ProblemView, patience).ConfigureAwait(false)
                ?? new ProblemView(CliErrors.ConnectionLost, $"the node answered {(int)answer.StatusCode}", null);
            throw ToException(problem);
        }
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, Patience patience)
    {
        try
        {
            return (await answer.Content.ReadFromJsonAsync(type, patience.Token).ConfigureAwait(false))!;
        }
        catch (OperationCanceledException) when (patience.IsOver)
        {
            throw patience.Late();
        }
        catch (Exception error) when (error is IOException or HttpRequestException or JsonException)
        {
            throw await LostAsync(error).ConfigureAwait(false);
        }
    }

    private MeshException NoNode(Exception error) =>
        new(CliErrors.NoNode, $"no node is running here ({_socket})", "start one with 'agentmesh up', or name another data directory with --data-dir", error);

    private async Task<MeshException> LostAsync(Exception error) => _on is null ? Lost(error) : await _on.WhyLostAsync(_socket, error).ConfigureAwait(false);

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

    /// <summary>How long this client waits: the caller's token and a bound of time.</summary>
    private sealed class Patience : IDisposable
    {
        private readonly CancellationToken _caller;
        private readonly CancellationTokenSource _over;
        private readonly TimeSpan? _limit;

        public Patience(TimeSpan? limit, CancellationToken caller)
        {
            _caller = caller;
            _limit = limit;
            _over = CancellationTokenSource.CreateLinkedTokenSource(caller);
            if (limit is { } within)
            {
                _over.CancelAfter(TimeSpan.FromMilliseconds(Math.Min(within.TotalMilliseconds, int.MaxValue)));
            }
        }

        public CancellationToken Token => _over.Token;

        /// <summary>The time is over, and nobody else has ended the wait.</summary>
        public bool IsOver => _over.IsCancellationRequested && !_caller.IsCancellationRequested;

        public MeshException Late() => new(
            CliErrors.TimedOut,
            $"the node did not answer within {_limit!.Value.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s",
            "an accepted job goes on; look into the node's log, and whether its process is stopped or its disk is slow");

        public void Dispose() => _over.Dispose();
    }
}
