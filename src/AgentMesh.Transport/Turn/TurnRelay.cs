using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Transport.Turn;

/// <summary>
/// Keeps an allocation at one TURN server for as long as it lives, over a socket or a connection of its own, and makes a tunnel of every address that it speaks with. When the allocation is
/// lost, or the network changes, it gets another one. Thread-safe.
/// </summary>
public sealed class TurnRelay : IAsyncDisposable
{
    /// <summary>Addresses that are spoken with at a time. One more takes the place of that which was silent longest and which no connection uses.</summary>
    public const int PeersMax = 256;

    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RefusedRetry = TimeSpan.FromMinutes(5);

    [ThreadStatic]
    private static byte[]? t_wrapped;

    private readonly MeshEndpoint _endpoint;
    private readonly Func<StunCredentials> _credentials;
    private readonly TurnSettings _settings;
    private readonly NameLookup _names;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly TurnPeers _peers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _stirred;
    private readonly Poker _moved;
    private IReadOnlyList<IPAddress> _permitted = [];
    private TurnAllocation? _allocation;
    private ITurnLink? _link;
    private volatile TurnState _state = new(null, null, null);
    private volatile bool _isMoved;
    private volatile bool _isCut;
    private Task _running = Task.CompletedTask;

    /// <param name="credentials">Asked before each attempt.</param>
    public TurnRelay(MeshEndpoint endpoint, TurnServer server, Func<StunCredentials> credentials, TurnSettings settings, NameLookup names, IEntropy entropy, TimeProvider time)
    {
        _endpoint = endpoint;
        _peers = new TurnPeers(this, endpoint);
        Server = server;
        _credentials = credentials;
        _settings = settings with { IsReliable = server.Transport != TurnTransport.Udp };
        _names = names;
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
            if (_allocation is not { } allocation || _link is not { } link || datagram.Length > DatagramTunnels.DatagramBytesMax)
            {
                return;
            }

            TimeSpan now = _endpoint.Now.Monotonic;
            peer.UsedAt = now;
            int length = allocation.Wrap(remote, datagram, wrapped, now);
            if (length > 0)
            {
                link.Send(wrapped.AsSpan(0, length), allocation.Server);
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
            catch (TurnConnectException error)
            {
                failure = error.Failure;
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
        _isMoved = _isCut = false;
        if (await _names.FindOneAsync(Server.Host, Server.Port, static _ => true, _stop.Token).ConfigureAwait(false) is not { Address: { } server })
        {
            return (false, new TurnFailure(TurnFailureKind.Silent, "its name cannot be resolved to an address that this device can send to"));
        }

        ITurnLink link = await TurnConnector.OpenAsync(Server, server, _time, _stop.Token).ConfigureAwait(false);
        await using (link.ConfigureAwait(false))
        {
            return await HoldAsync(link, server, credentials).ConfigureAwait(false);
        }
    }

    private async Task<(bool WasHeld, TurnFailure Failure)> HoldAsync(ITurnLink link, IPEndPoint server, StunCredentials credentials)
    {
        var allocation = new TurnAllocation(server, credentials, _settings, _entropy, _endpoint.Now.Monotonic);
        lock (_gate)
        {
            (_allocation, _link) = (allocation, link);
            PermitNow();
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task receiving = ReceiveAsync(link, allocation, over.Token);
        bool wasHeld = false;
        try
        {
            while (allocation.Failure is null && !_isMoved && !_isCut)
            {
                TimeSpan? next = Pump(allocation, link);
                wasHeld |= allocation.Relayed is not null;
                if (next is { } at)
                {
                    await _stirred.WaitAsync(at - _endpoint.Now.Monotonic, _stop.Token).ConfigureAwait(false);
                }
            }

            return (wasHeld, allocation.Failure ?? new TurnFailure(TurnFailureKind.Silent, _isMoved ? "the network of this device has changed" : "the connection to it has ended"));
        }
        finally
        {
            EndPeers(allocation, link);
            await over.CancelAsync().ConfigureAwait(false);
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private TimeSpan? Pump(TurnAllocation allocation, ITurnLink link)
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

            allocation.Heed(_settings.IsReliable ? null : _endpoint.PortSilence);
            while (allocation.TryTransmit(now, out ReadOnlySpan<byte> message))
            {
                link.Send(message, allocation.Server);
            }

            allocation.TakeStirred();
            next = allocation.NextWakeUp(now);
            state = new TurnState(allocation.Relayed, allocation.Mapped, null);
        }

        if (isOther)
        {
            _names.Answered(Server.Host, allocation.Server.Address);
        }

        Publish(state);
        return next;
    }

    private async Task ReceiveAsync(ITurnLink link, TurnAllocation allocation, CancellationToken cancellationToken)
    {
        try
        {
            await link.ReceiveAsync((message, from) => Take(allocation, message, from), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _isCut = true;
            _stirred.Poke();
        }
    }

    private void Take(TurnAllocation allocation, Span<byte> datagram, IPEndPoint from)
    {
        if (!from.Equals(allocation.Server))
        {
            return;
        }

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

    private void EndPeers(TurnAllocation allocation, ITurnLink link)
    {
        IPEndPoint[] ended;
        lock (_gate)
        {
            TimeSpan now = _endpoint.Now.Monotonic;
            allocation.Release(now);
            while (allocation.TryTransmit(now, out ReadOnlySpan<byte> message))
            {
                link.Send(message, allocation.Server);
            }

            (_allocation, _link) = (null, null);
            ended = _peers.Clear();
        }

        _peers.End(ended);
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

    private void OnNetworkChanged()
    {
        _isMoved = true;
        _moved.Poke();
        _stirred.Poke();
    }
}
