using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport.Tunnels;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Turn;

/// <summary>
/// Keeps an allocation at one TURN server for as long as it lives, over a socket of its own, and makes a tunnel of every address that it speaks with. When the allocation is
/// lost, or the network changes, it gets another one. Thread-safe.
/// </summary>
public sealed class TurnRelay : IAsyncDisposable
{
    /// <summary>Addresses that are spoken with at a time. One more takes the place of that which was silent longest and which no connection uses.</summary>
    public const int PeersMax = 256;

    private const int DatagramBytesMax = 2048;

    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RefusedRetry = TimeSpan.FromMinutes(5);

    [ThreadStatic]
    private static byte[]? t_wrapped;

    private readonly MeshEndpoint _endpoint;
    private readonly Func<StunCredentials> _credentials;
    private readonly TurnSettings _settings;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly TurnPeers _peers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _stirred;
    private readonly Poker _moved;
    private IReadOnlyList<IPAddress> _permitted = [];
    private TurnAllocation? _allocation;
    private Socket? _socket;
    private volatile TurnState _state = new(null, null, null);
    private volatile bool _isMoved;
    private Task _running = Task.CompletedTask;

    /// <param name="credentials">Asked before each attempt.</param>
    public TurnRelay(MeshEndpoint endpoint, TurnServer server, Func<StunCredentials> credentials, TurnSettings settings, IEntropy entropy, TimeProvider time)
    {
        _endpoint = endpoint;
        _peers = new TurnPeers(this, endpoint);
        Server = server;
        _credentials = credentials;
        _settings = settings;
        _entropy = entropy;
        _time = time;
        _stirred = new Poker(time);
        _moved = new Poker(time);
    }

    /// <summary><see cref="State"/> is another one. Raised on any thread.</summary>
    public event Action? Changed;

    public TurnServer Server { get; }

    public TurnState State => _state;

    /// <summary>Permissions granted, channels bound, and addresses spoken with.</summary>
    public (int Permissions, int Channels, int Peers) Counts
    {
        get
        {
            lock (_gate)
            {
                return (_allocation?.PermissionsGranted ?? 0, _allocation?.ChannelsBound ?? 0, _peers.Count);
            }
        }
    }

    public void Start()
    {
        _endpoint.NetworkChanged += OnNetworkChanged;
        _endpoint.Turn.Add(this);
        _running = Task.Run(RunAsync);
    }

    /// <summary>The server lets these addresses through to this device, instead of those of the last call; that of the server itself always, because other devices' allocations are there.</summary>
    public void Permit(IReadOnlyList<IPAddress> addresses)
    {
        lock (_gate)
        {
            _permitted = addresses;
            PermitNow();
        }

        _stirred.Poke();
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.NetworkChanged -= OnNetworkChanged;
        _endpoint.Turn.Remove(this);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>What stands for an address that the allocation sends to; null while there is none, or no room.</summary>
    internal IPEndPoint? AddressOf(IPEndPoint remote)
    {
        IPEndPoint? evicted;
        IPEndPoint? address;
        lock (_gate)
        {
            if (_allocation?.Relayed is not { } relayed || relayed.AddressFamily != remote.AddressFamily || relayed.Equals(remote))
            {
                return null;
            }

            address = _peers.Find(remote, out evicted)?.Address;
        }

        _peers.End(evicted);
        return address;
    }

    internal void Send(TurnPeer peer, IPEndPoint remote, ReadOnlySpan<byte> datagram)
    {
        byte[] wrapped = t_wrapped ??= new byte[DatagramTunnels.DatagramBytesMax + TurnAllocation.OverheadMax];
        bool isStirred;
        lock (_gate)
        {
            if (_allocation is not { } allocation || _socket is not { } socket || datagram.Length > DatagramTunnels.DatagramBytesMax)
            {
                return;
            }

            TimeSpan now = _endpoint.Now.Monotonic;
            peer.UsedAt = now;
            int length = allocation.Wrap(remote, datagram, wrapped, now);
            if (length > 0)
            {
                SendNow(socket, wrapped.AsSpan(0, length), allocation.Server);
            }

            isStirred = allocation.TakeStirred();
        }

        if (isStirred)
        {
            _stirred.Poke();
        }
    }

    private async Task RunAsync()
    {
        TimeSpan wait = RetryFirst;
        while (!_stop.IsCancellationRequested)
        {
            bool wasHeld = false;
            TurnFailure failure;
            try
            {
                (wasHeld, failure) = await HoldAsync(_credentials()).ConfigureAwait(false);
            }
            catch (TurnCredentialsException error)
            {
                failure = new TurnFailure(TurnFailureKind.Credentials, error.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            bool isMoved = _isMoved;
            _isMoved = false;
            Publish(new TurnState(null, null, failure));
            wait = wasHeld || isMoved ? RetryFirst : TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, RetryMax.Ticks));
            try
            {
                await _moved.WaitAsync(failure.Kind == TurnFailureKind.Silent ? wait : RefusedRetry, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Until the allocation is lost, or never came; gives it back when this device stops.</summary>
    private async Task<(bool WasHeld, TurnFailure Failure)> HoldAsync(StunCredentials credentials)
    {
        _isMoved = false;
        if (await ResolveAsync().ConfigureAwait(false) is not { } server)
        {
            return (false, new TurnFailure(TurnFailureKind.Silent, "its name cannot be resolved to an address that this device can send to"));
        }

        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        SocketOptions.ForbidFragments(socket);
        socket.Bind(new IPEndPoint(server.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
        var allocation = new TurnAllocation(server, credentials, _settings, _entropy, _endpoint.Now.Monotonic);
        lock (_gate)
        {
            (_allocation, _socket) = (allocation, socket);
            PermitNow();
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task receiving = ReceiveAsync(socket, allocation, over.Token);
        bool wasHeld = false;
        try
        {
            while (allocation.Failure is null && !_isMoved)
            {
                TimeSpan? next = Pump(allocation, socket);
                wasHeld |= allocation.Relayed is not null;
                if (next is { } at)
                {
                    await _stirred.WaitAsync(at - _endpoint.Now.Monotonic, _stop.Token).ConfigureAwait(false);
                }
            }

            return (wasHeld, allocation.Failure ?? new TurnFailure(TurnFailureKind.Silent, "the network of this device has changed"));
        }
        finally
        {
            EndPeers(allocation, socket);
            await over.CancelAsync().ConfigureAwait(false);
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private TimeSpan? Pump(TurnAllocation allocation, Socket socket)
    {
        TurnState state;
        TimeSpan? next;
        bool isOther;
        lock (_gate)
        {
            TimeSpan now = _endpoint.Now.Monotonic;
            isOther = allocation.Relayed is not null && _state.Relayed is null;
            if (isOther)
            {
                PermitNow();
            }

            while (allocation.TryTransmit(now, out ReadOnlySpan<byte> message))
            {
                SendNow(socket, message, allocation.Server);
            }

            allocation.TakeStirred();
            next = allocation.NextWakeUp(now);
            state = new TurnState(allocation.Relayed, allocation.Mapped, null);
        }

        Publish(state);
        return next;
    }

    private async Task ReceiveAsync(Socket socket, TurnAllocation allocation, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[DatagramBytesMax];
        var from = new SocketAddress(socket.AddressFamily);
        var senders = new SenderCache();
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                int length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken).ConfigureAwait(false);
                if (senders.Find(from, any).Equals(allocation.Server))
                {
                    Take(allocation, buffer.AsSpan(0, length));
                }
            }
            catch (SocketException)
            {
                // News of an earlier datagram: the requests' own patience decides.
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void Take(TurnAllocation allocation, Span<byte> datagram)
    {
        IPEndPoint? address = null, evicted = null;
        int at = 0, length;
        bool isStirred;
        lock (_gate)
        {
            TimeSpan now = _endpoint.Now.Monotonic;
            IPEndPoint? sender = allocation.Handle(datagram, now, out ReadOnlySpan<byte> data);
            length = data.Length;
            if (sender is not null && length > 0 && _allocation == allocation && ((ReadOnlySpan<byte>)datagram).Overlaps(data, out at) && _peers.Find(sender, out evicted) is { } peer)
            {
                peer.UsedAt = now;
                address = peer.Address;
            }

            isStirred = allocation.TakeStirred();
        }

        _peers.End(evicted);
        if (address is not null)
        {
            _endpoint.Receive(datagram.Slice(at, length), address);
        }

        if (isStirred)
        {
            _stirred.Poke();
        }
    }

    // Under the lock.
    private void PermitNow()
    {
        if (_allocation is { } allocation)
        {
            IPAddress[] own = allocation.Relayed is { } relayed ? [relayed.Address] : [];
            allocation.Permit([.. own.Concat(_permitted).Distinct()], _endpoint.Now.Monotonic);
        }
    }

    private void EndPeers(TurnAllocation allocation, Socket socket)
    {
        IPEndPoint[] ended;
        lock (_gate)
        {
            TimeSpan now = _endpoint.Now.Monotonic;
            allocation.Release(now);
            while (allocation.TryTransmit(now, out ReadOnlySpan<byte> message))
            {
                SendNow(socket, message, allocation.Server);
            }

            (_allocation, _socket) = (null, null);
            ended = _peers.Clear();
        }

        _peers.End(ended);
    }

    private static void SendNow(Socket socket, ReadOnlySpan<byte> message, IPEndPoint to)
    {
        try
        {
            socket.SendTo(message, SocketFlags.None, to);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Lost, as on the way.
        }
    }

    private void Publish(TurnState state)
    {
        TurnState before = _state;
        if (state == before)
        {
            return;
        }

        _state = state;
        if (!Equals(before.Relayed, state.Relayed))
        {
            _endpoint.Turn.TellAll();
        }

        Changed?.Invoke();
    }

    private async Task<IPEndPoint?> ResolveAsync()
    {
        using var late = new CancellationTokenSource(ResolveWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stop.Token);
        try
        {
            IPAddress[] addresses = IPAddress.TryParse(Server.Host, out IPAddress? given) ? [given] : await Dns.GetHostAddressesAsync(Server.Host, either.Token).ConfigureAwait(false);
            return addresses.OrderBy(address => address.AddressFamily).Select(address => new IPEndPoint(address, Server.Port)).FirstOrDefault();
        }
        catch (SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private void OnNetworkChanged()
    {
        _isMoved = true;
        _moved.Poke();
        _stirred.Poke();
    }
}
