using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Beacon.Web;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Beacon.Client;

/// <summary>Opens the WebSocket of a beacon, through an HTTP proxy where there is one.</summary>
internal static class BeaconWebSocket
{
    /// <exception cref="MeshException">AM0155 to AM0157, AM0170.</exception>
    public static async Task<Opened> ConnectAsync(Uri uri, DevicePublicKey beacon, string proxy, NameLookup names, CancellationToken cancellationToken)
    {
        string? refused = null, host = null;
        IPAddress? address = null;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, over) =>
            {
                Socket connected = await ConnectAsync(context.DnsEndPoint, names, over).ConfigureAwait(false);
                (host, address) = (context.DnsEndPoint.Host, (connected.RemoteEndPoint as IPEndPoint)?.Address);
                return new NetworkStream(connected, ownsSocket: true);
            },
        };
        (handler.UseProxy, handler.Proxy) = proxy switch
        {
            BeaconProxy.None => (false, null),
            "" => (true, null),
            _ => (true, (IWebProxy)BeaconProxy.Parse(proxy)),
        };
        handler.DefaultProxyCredentials = null;
        handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, problems) => IsTrusted(certificate, problems) };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(WebSocketTunnel.SubProtocol);
            socket.Options.KeepAliveInterval = TimeSpan.Zero; // the session inside keeps itself alive
            socket.Options.CollectHttpResponseDetails = true;
            await socket.ConnectAsync(uri, invoker, cancellationToken).ConfigureAwait(false);
            return new Opened(socket, host, address);
        }
        catch (Exception error) when (error is WebSocketException or IOException)
        {
            int status = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw Explain(uri, error, status, refused);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        bool IsTrusted(X509Certificate? certificate, SslPolicyErrors problems)
        {
            bool isTrusted = certificate is X509Certificate2 shown && (problems == SslPolicyErrors.None || BeaconCertificate.IsProven(shown, beacon));
            refused = isTrusted ? null : $"'{ForeignText.Shown(certificate?.Subject)}', issued by '{ForeignText.Shown(certificate?.Issuer)}'";
            return isTrusted;
        }
    }

    private static async Task<Socket> ConnectAsync(DnsEndPoint place, NameLookup names, CancellationToken cancellationToken)
    {
        NameAnswer answer = await names.FindAsync(place.Host, cancellationToken).ConfigureAwait(false);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            TunnelSockets.Tune(socket);
            await socket.ConnectAsync([.. answer.All], place.Port, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="Host">That of the WebSocket, or of the proxy, and the address at which it was reached; null where neither is known.</param>
    internal readonly record struct Opened(WebSocket Socket, string? Host, IPAddress? Address);

    private static MeshException Explain(Uri uri, Exception error, int status, string? refused)
    {
        Exception cause = error;
        for (Exception? each = error; each is not null; each = each.InnerException)
        {
            cause = each is HttpRequestException or SocketException ? each : cause;
        }

        HttpRequestError? kind = (error as HttpRequestException ?? error.InnerException as HttpRequestException)?.HttpRequestError;
        return kind switch
        {
            HttpRequestError.ProxyTunnelError => new MeshException(
                BeaconErrors.Proxy, $"the HTTP proxy lets nothing through to {uri.Host}:{uri.Port}: {cause.Message}", "does it want a user (agentmesh.beacon.proxy, or HTTPS_PROXY, with user:password@), and does it allow CONNECT to this port?", error),
            HttpRequestError.SecureConnectionError => new MeshException(
                BeaconErrors.NotTrusted,
                $"the certificate of {uri.Host}:{uri.Port} is not trusted: {refused ?? cause.Message}",
                "is the key in agentmesh.beacons the beacon's own? a certificate of a private authority has to be among those that this machine trusts (SSL_CERT_FILE)",
                error),
            _ when status is not 0 and not 101 => new MeshException(
                BeaconErrors.NoWebSocket, $"{uri} answered with HTTP status {status} and is not the WebSocket of a beacon", "does the beacon run with --https, and does the proxy in front of it pass WebSockets on?", error),
            _ => new MeshException(BeaconErrors.Unreachable, $"{uri} is not reachable: {cause.Message}", "is TCP to it allowed, directly or by a proxy (agentmesh.beacon.proxy)?", error),
        };
    }
}
