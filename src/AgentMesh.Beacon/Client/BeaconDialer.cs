using System.Net;
using System.Net.Sockets;
using AgentMesh.Errors;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Beacon.Client;

/// <summary>
/// Finds a way to a beacon: by UDP, and a little later over its WebSocket beside that; the first that carries a handshake is taken. Where the last one was a WebSocket, both
/// start together. Used by one task.
/// </summary>
internal sealed class BeaconDialer(MeshEndpoint endpoint, BeaconAddress place, BeaconClientSettings settings, NameLookup names, TimeProvider time)
{
    private long _webSockets;

    /// <summary>UDP got no answer when the last way was found.</summary>
    public bool IsUdpSilent { get; set; }

    /// <summary>WebSockets that were tried since the start.</summary>
    public long WebSockets => Interlocked.Read(ref _webSockets);

    /// <param name="knock">The longest time between two initiations by UDP.</param>
    /// <exception cref="MeshException">AM0155 to AM0157, AM0170.</exception>
    public async Task<BeaconWay> ConnectAsync(TimeSpan knock, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<MeshConnection> udp = ByUdpAsync(knock, over.Token);
        Task<BeaconWay>? web = null;
        BeaconWay? way = null;
        try
        {
            Task head = Task.Delay(settings.HeadStart, time, over.Token);
            await Task.WhenAny(udp, place.WebSocket is null ? udp : IsUdpSilent ? Task.CompletedTask : head).ConfigureAwait(false);
            if (!udp.IsCompletedSuccessfully && place.WebSocket is { } uri)
            {
                web = ByWebSocketAsync(uri, over.Token);
                await Task.WhenAny(udp, web).ConfigureAwait(false);
                if (!udp.IsCompletedSuccessfully && !web.IsCompletedSuccessfully)
                {
                    // The other one may still do it; UDP that is known to be silent does not keep the WebSocket from its next attempt for long.
                    await Task.WhenAny(udp.IsCompleted ? web : IsUdpSilent ? Task.WhenAny(udp, head) : udp).ConfigureAwait(false);
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (udp.IsCompletedSuccessfully)
            {
                way = new BeaconWay(await udp.ConfigureAwait(false), null);
            }

            // Both wait for the same handshake; the connection says which way it took.
            if (web is not null && (web.IsCompletedSuccessfully || way is { IsTunnelled: true }))
            {
                way = await web.ConfigureAwait(false);
            }

            return way ?? throw Failed(udp.Exception?.InnerException, web?.Exception?.InnerException);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(udp, web ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (web is { IsCompletedSuccessfully: true } && await web.ConfigureAwait(false) is var opened && (!ReferenceEquals(opened, way) || !opened.IsTunnelled))
            {
                opened.CloseTunnel();
            }
        }
    }

    /// <summary>Where the beacon may be by UDP; its key tells whether it is.</summary>
    /// <exception cref="SocketException">Its name cannot be resolved, and was never found.</exception>
    public async Task<IPEndPoint[]> AddressesAsync(CancellationToken cancellationToken) =>
        [.. (await names.FindAsync(place.Host, cancellationToken).ConfigureAwait(false)).All.Select(host => new IPEndPoint(host, place.Port))];

    private async Task<MeshConnection> ByUdpAsync(TimeSpan knock, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(settings.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        string why;
        try
        {
            return await ByFamilyAsync(await AddressesAsync(either.Token).ConfigureAwait(false), knock, either.Token).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            why = $": {error.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            why = $": no answer within {settings.ConnectTimeout.TotalSeconds:0.#} s";
        }
        catch (MeshException error)
        {
            why = $": {error.Message}";
        }

        throw new MeshException(
            BeaconErrors.Unreachable, $"the beacon {place.Name} is not reachable{why}", "is it running, is UDP to it allowed, is the key in agentmesh.beacons its own, and does its --admit list have this device?");
    }

    // IPv4 first, where the beacon has both: what its NATs make of it is what a device must be told, while its addresses of IPv6 are those that others see.
    private async Task<MeshConnection> ByFamilyAsync(IPEndPoint[] addresses, TimeSpan knock, CancellationToken cancellationToken)
    {
        IPEndPoint[] first = [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork)];
        if (first.Length > 0 && first.Length < addresses.Length)
        {
            Task<IMeshConnection> early = endpoint.ConnectAsync(place.Key, first, knock, cancellationToken).AsTask();
            if (await Task.WhenAny(early, Task.Delay(settings.Ipv4HeadStart, time, cancellationToken)).ConfigureAwait(false) == early)
            {
                return (MeshConnection)await early.ConfigureAwait(false);
            }

            // The attempt with all addresses is the same one, with more of them; whoever waits for it gets the same answer.
            Task<IMeshConnection> all = endpoint.ConnectAsync(place.Key, addresses, knock, cancellationToken).AsTask();
            return (MeshConnection)(await Task.WhenAll(early, all).ConfigureAwait(false))[1];
        }

        return (MeshConnection)await endpoint.ConnectAsync(place.Key, addresses, knock, cancellationToken).ConfigureAwait(false);
    }

    private async Task<BeaconWay> ByWebSocketAsync(Uri uri, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(settings.WebSocketTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        WebSocketTunnel? tunnel = null;
        try
        {
            Interlocked.Increment(ref _webSockets);
            BeaconWebSocket.Opened opened = await BeaconWebSocket.ConnectAsync(uri, place.Key, settings.Proxy, names, either.Token).ConfigureAwait(false);
            tunnel = new WebSocketTunnel(opened.Socket, endpoint);
            Task running = tunnel.RunAsync(CancellationToken.None);
            Task<IMeshConnection> dialling = endpoint.ConnectAsync(place.Key, [tunnel.Address], either.Token).AsTask();
            if (await Task.WhenAny(dialling, running).ConfigureAwait(false) == running && !dialling.IsCompletedSuccessfully)
            {
                await either.CancelAsync().ConfigureAwait(false);
                await dialling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new MeshException(BeaconErrors.Unreachable, $"{uri} closed the WebSocket", "is the beacon full, or the key in agentmesh.beacons another's?");
            }

            var way = new BeaconWay((MeshConnection)await dialling.ConfigureAwait(false), tunnel);
            if (opened is { Host: { } host, Address: { } address })
            {
                // The beacon answered through it, so that it was the host, or the proxy, and no other.
                names.Answered(host, address);
            }

            tunnel = null;
            return way;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(
                BeaconErrors.Unreachable, $"{uri} gave no answer within {settings.WebSocketTimeout.TotalSeconds:0.#} s", "is TCP to it allowed, is the key in agentmesh.beacons its own, and does its --admit list have this device?");
        }
        finally
        {
            tunnel?.Dispose();
        }
    }

    // What a proxy or a certificate has to do with it is the better hint.
    private MeshException Failed(Exception? udp, Exception? web)
    {
        string byUdp = udp is MeshException { Message: var said } ? said : $"the beacon {place.Name} does not answer by UDP";
        return web is MeshException error
            ? new MeshException(error.Code, $"{byUdp}; and over TCP: {error.Message}", error.NextStep, error)
            : udp as MeshException ?? new MeshException(BeaconErrors.Unreachable, byUdp, "it is tried again by itself");
    }
}
