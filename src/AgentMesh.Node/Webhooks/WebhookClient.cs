using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Node.Webhooks;

/// <summary>A POST: its id, its body, and the secrets that sign it.</summary>
internal sealed record WebhookRequest(Uri Url, string Id, byte[] Body, IReadOnlyList<byte[]> Secrets);

/// <summary>
/// Sends a POST once. Connects only to addresses that were checked, and to these very ones; follows no redirect, uses no proxy, keeps no cookie and no connection, and reads no more of the
/// answer than a person is shown.
/// </summary>
internal sealed class WebhookClient : IDisposable
{
    /// <summary>For the whole attempt.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    private const int HeadersKibMax = 16;
    private const int AnswerBytesMax = 512;
    private const int SaidCharsMax = 120;
    private const int AddressesMax = 8;
    private static readonly HttpRequestOptionsKey<Uri> Meant = new("agentmesh.url");

    private readonly HttpClient _http;
    private readonly NotifyPolicy _policy;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly TimeProvider _time;

    /// <param name="resolve">The addresses of a host.</param>
    /// <param name="version">Of this program, as the receiver reads it.</param>
    public WebhookClient(NotifyPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>> resolve, string version, TimeProvider time)
    {
        _policy = policy;
        _resolve = resolve;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = HeadersKibMax,
            MaxResponseDrainSize = 0,
            PooledConnectionLifetime = TimeSpan.Zero,
            ActivityHeadersPropagator = null,
            ConnectCallback = ConnectAsync,
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("agentmesh", version));
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Throws only when it is cancelled.</summary>
    public async Task<DeliveryAnswer> SendAsync(WebhookRequest request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Within, _time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using HttpRequestMessage message = MessageOf(request);
            using HttpResponseMessage response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, over.Token).ConfigureAwait(false);
            string said = response.IsSuccessStatusCode ? "" : await BeginningAsync(response, over.Token).ConfigureAwait(false);
            return DeliveryAnswer.Of((int)response.StatusCode, said, RetryAfterOf(response));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DeliveryAnswer.None($"{request.Url.Authority} did not answer within {Within.TotalSeconds:0} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return Refusal(error) is { } refused
                ? new DeliveryAnswer(DeliveryVerdict.GivenUp, null, new Problem(refused.Code, refused.Message, refused.NextStep))
                : DeliveryAnswer.None($"{request.Url.Authority} was not reached: {error.GetBaseException().Message}");
        }
    }

    private HttpRequestMessage MessageOf(WebhookRequest request)
    {
        long at = _time.GetUtcNow().ToUnixTimeSeconds();
        var message = new HttpRequestMessage(HttpMethod.Post, request.Url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(request.Body) };
        message.Options.Set(Meant, request.Url);
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        message.Headers.ConnectionClose = true;
        message.Headers.Add("webhook-id", request.Id);
        message.Headers.Add("webhook-timestamp", at.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (request.Secrets.Count > 0)
        {
            message.Headers.Add("webhook-signature", WebhookSignature.Of(request.Secrets, request.Id, at, request.Body));
        }

        return message;
    }

    /// <summary>The name is looked up once, and what was checked is what is connected to: a second look-up could mean another machine.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Uri url = context.InitialRequestMessage.Options.TryGetValue(Meant, out Uri? meant) ? meant : throw new InvariantException("a request without its URL");
        IPAddress[] found = IPAddress.TryParse(context.DnsEndPoint.Host, out IPAddress? literal) ? [literal] : await _resolve(context.DnsEndPoint.Host, cancellationToken).ConfigureAwait(false);
        Exception? last = null;
        foreach (IPAddress address in found.Take(AddressesMax))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                _policy.Check(url, address);
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception error)
            {
                socket.Dispose();
                if (error is not (SocketException or MeshException))
                {
                    throw;
                }

                // What was not reached may be there next time; what is not allowed stays so.
                last = last is SocketException ? last : error;
            }
        }

        throw last switch
        {
            MeshException refused => new HttpRequestException(refused.Message, refused),
            { } unreached => new HttpRequestException(unreached.Message, unreached),
            null => new SocketException((int)SocketError.HostNotFound),
        };
    }

    private static MeshException? Refusal(Exception error)
    {
        for (Exception? at = error; at is not null; at = at.InnerException)
        {
            if (at is MeshException refused)
            {
                return refused;
            }
        }

        return null;
    }

    /// <summary>What a receiver says of its refusal, for a person: no control characters, and not much.</summary>
    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                byte[] bytes = new byte[AnswerBytesMax];
                int length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                string text = string.Concat(Encoding.UTF8.GetString(bytes, 0, length).Select(c => char.IsControl(c) || char.IsSurrogate(c) || c == '\uFFFD' ? ' ' : c)).Trim();
                return text.Length > SaidCharsMax ? text[..SaidCharsMax] + "..." : text;
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status has come, and counts.
            return "";
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _time.GetUtcNow(),
        _ => null,
    };
}
