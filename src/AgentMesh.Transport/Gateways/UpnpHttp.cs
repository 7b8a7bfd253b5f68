using System.Net;
using System.Net.Http.Headers;
using AgentMesh.Protocol.Gateways.Upnp;

namespace AgentMesh.Transport.Gateways;

/// <summary>HTTP with a gateway: no redirects, no proxy, bounded in time and size.</summary>
internal sealed class UpnpHttp : IDisposable
{
    private const int BytesMax = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(3),
        MaxResponseHeadersLength = 16,
        MaxConnectionsPerServer = 2,

        // Gateways close connections without a word.
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    {
        MaxResponseContentBufferSize = BytesMax,
        Timeout = Patience,
    };

    /// <returns>Null with the reason when there is none.</returns>
    public async ValueTask<(byte[]? Document, string Why)> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <returns>Null with the reason when no answer to the call came.</returns>
    public async ValueTask<(SoapAnswer? Answer, string Why)> CallAsync(IgdService service, SoapCall call, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, service.Control) { Content = new ByteArrayContent(call.Body(service.Type)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/xml") { CharSet = "\"utf-8\"" };
        request.Headers.TryAddWithoutValidation("SOAPACTION", call.Header(service.Type));
        (byte[]? document, string why) = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        return document is null ? (null, why) : call.TryRead(document, out SoapAnswer answer) ? (answer, "") : (null, "its answer is not understood");
    }

    public void Dispose() => _client.Dispose();

    private async ValueTask<(byte[]? Document, string Why)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false);

            // A fault comes with 500 and is an answer.
            return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.InternalServerError
                ? (await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), "")
                : (null, $"it answered with HTTP status {(int)response.StatusCode}");
        }
        catch (HttpRequestException error)
        {
            return (null, error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, "no answer");
        }
    }
}
