using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Tunnels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Beacon.Web;

/// <summary>
/// The WebSockets of a beacon: each becomes a tunnel of its endpoint. Who speaks over one is found out by the handshake inside; one without a session after a while is
/// closed. Everything else that is asked of it gets the answer of a server that has nothing. Thread-safe.
/// </summary>
internal sealed class BeaconWeb : IAsyncDisposable
{
    private static readonly TimeSpan HeadersWithin = TimeSpan.FromSeconds(10);

    // The handshake inside takes two round trips; a beacon without a session to a device has nothing to say to it.
    private static readonly TimeSpan SessionWithin = TimeSpan.FromSeconds(10);

    // Sockets that are in their TLS handshake, or ask for something else.
    private const int FurtherConnections = 1024;

    private readonly MeshEndpoint _endpoint;
    private readonly int _tunnelsMax;
    private readonly PerAddress _perAddress;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<IPEndPoint, (WebSocketTunnel Tunnel, IPAddress From)> _open = new();
    private readonly X509Certificate2? _certificate;
    private WebApplication? _app;
    private long _refused;
    private long _idle;
    private long _droppedBefore;

    private BeaconWeb(MeshEndpoint endpoint, X509Certificate2? certificate, BeaconWebSettings settings, int tunnelsMax, TimeProvider time)
    {
        _endpoint = endpoint;
        _certificate = certificate;
        _perAddress = new PerAddress(settings.PerAddressMax);
        _tunnelsMax = tunnelsMax;
        _time = time;
    }

    /// <summary>Which tunnels carry a session.</summary>
    public Func<IPEndPoint, bool> IsUsed { get; set; } = _ => true;

    /// <summary>With the real ports.</summary>
    public IReadOnlyList<IPEndPoint> TlsAddresses { get; private set; } = [];

    public IReadOnlyList<IPEndPoint> PlainAddresses { get; private set; } = [];

    /// <summary>Addresses that could not be listened on, and why.</summary>
    public IReadOnlyList<string> LeftOut { get; private set; } = [];

    /// <summary>Where a tunnel comes from; null for what is none, and from loopback, where a proxy stands for all.</summary>
    public IPAddress? SourceOf(IPEndPoint tunnel) => _open.TryGetValue(tunnel, out (WebSocketTunnel, IPAddress From) open) && !IPAddress.IsLoopback(open.From) ? open.From : null;

    public BeaconWebCounters Counters => new(_open.Count, Interlocked.Read(ref _refused), Interlocked.Read(ref _idle), Interlocked.Read(ref _droppedBefore) + _open.Values.Sum(open => open.Tunnel.Dropped));

    /// <exception cref="MeshException">AM0154: an address cannot be listened on; AM0158: the certificate.</exception>
    public static async Task<BeaconWeb> StartAsync(MeshEndpoint endpoint, DeviceIdentity identity, BeaconWebSettings settings, int tunnelsMax, TimeProvider time)
    {
        X509Certificate2? certificate = settings.Tls.Count == 0 ? null
            : settings.Files is { } files ? BeaconCertificate.Load(files.Certificate, files.Key) : BeaconCertificate.Create(identity, time.GetUtcNow());
        var web = new BeaconWeb(endpoint, certificate, settings, tunnelsMax, time);
        try
        {
            var leftOut = new List<string>();
            IPEndPoint[] tls = [.. settings.Tls.Where(address => !settings.IsTlsOptional || CanListen(address, leftOut))];
            web.LeftOut = leftOut;
            await web.ListenAsync(tls, settings.Plain).ConfigureAwait(false);
            return web;
        }
        catch
        {
            await web.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_app is not null)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), _time);
            await _app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _app.DisposeAsync().ConfigureAwait(false);
        }

        _certificate?.Dispose();
        _stop.Dispose();
    }

    private async Task ListenAsync(IReadOnlyList<IPEndPoint> tls, IReadOnlyList<IPEndPoint> plain)
    {
        var listening = new List<ListenOptions>();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxConcurrentConnections = _tunnelsMax + FurtherConnections;
            options.Limits.MaxConcurrentUpgradedConnections = _tunnelsMax;
            options.Limits.RequestHeadersTimeout = HeadersWithin;
            options.Limits.KeepAliveTimeout = HeadersWithin;
            options.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            options.Limits.MaxRequestBodySize = 0;
            foreach (IPEndPoint address in tls)
            {
                options.Listen(address, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.UseHttps(_certificate!);
                    listening.Add(listen);
                });
            }

            foreach (IPEndPoint address in plain)
            {
                options.Listen(address, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listening.Add(listen);
                });
            }
        });
        WebApplication app = builder.Build();
        _app = app;
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.Run(ServeAsync);
        if (tls.Count + plain.Count == 0)
        {
            return;
        }

        try
        {
            await app.StartAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw CannotListen(string.Join(", ", tls.Concat(plain)), error);
        }

        IPEndPoint[] real = [.. listening.Select(listen => listen.IPEndPoint!)];
        TlsAddresses = real[..tls.Count];
        PlainAddresses = real[tls.Count..];
    }

    private async Task ServeAsync(HttpContext http)
    {
        IPAddress from = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (!http.WebSockets.IsWebSocketRequest || !http.WebSockets.WebSocketRequestedProtocols.Contains(WebSocketTunnel.SubProtocol, StringComparer.Ordinal))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (_open.Count >= _tunnelsMax || !_perAddress.TryTake(from))
        {
            Interlocked.Increment(ref _refused);
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            if (http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionSocketFeature>() is { } connection)
            {
                TunnelSockets.Tune(connection.Socket);
            }

            using WebSocket socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { SubProtocol = WebSocketTunnel.SubProtocol, KeepAliveInterval = TimeSpan.Zero }).ConfigureAwait(false);
            using var tunnel = new WebSocketTunnel(socket, _endpoint);
            _open[tunnel.Address] = (tunnel, from);
            try
            {
                using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, http.RequestAborted);
                Task running = tunnel.RunAsync(over.Token);
                await WatchAsync(tunnel, running, over).ConfigureAwait(false);
            }
            finally
            {
                _open.TryRemove(tunnel.Address, out _);
                Interlocked.Add(ref _droppedBefore, tunnel.Dropped);
            }
        }
        catch (Exception error) when (error is IOException or WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // Gone before it began.
        }
        finally
        {
            _perAddress.Return(from);
        }
    }

    /// <summary>Ends a tunnel that carries no session.</summary>
    private async Task WatchAsync(WebSocketTunnel tunnel, Task running, CancellationTokenSource over)
    {
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(SessionWithin, _time, over.Token)).ConfigureAwait(false);
            if (!running.IsCompleted && !IsUsed(tunnel.Address))
            {
                Interlocked.Increment(ref _idle);
                await over.CancelAsync().ConfigureAwait(false);
                break;
            }
        }

        await running.ConfigureAwait(false);
    }

    private static bool CanListen(IPEndPoint address, List<string> leftOut)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(address);
            return true;
        }
        catch (SocketException error)
        {
            leftOut.Add($"{address}: {error.Message}");
            return false;
        }
    }

    private static MeshException CannotListen(string addresses, Exception error) => new(
        BeaconErrors.CannotListen,
        $"cannot listen on TCP {addresses}: {error.Message}",
        "a port below 1024 needs root or CAP_NET_BIND_SERVICE; choose another with --https (devices then name it: HOST:PORT#KEY,wss://HOST:PORT/), or --https none",
        error);
}

/// <param name="Tunnels">WebSockets now.</param>
/// <param name="Refused">WebSockets that were not taken because there were too many.</param>
/// <param name="Unused">WebSockets that were closed because no device spoke over them.</param>
/// <param name="Dropped">Datagrams that a WebSocket did not carry in time.</param>
public sealed record BeaconWebCounters(int Tunnels, long Refused, long Unused, long Dropped);
