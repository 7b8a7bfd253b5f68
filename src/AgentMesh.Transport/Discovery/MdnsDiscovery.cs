using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Shows this device on the local links as a service of mDNS and DNS-SD, and finds the others of its mesh so (mdns-v1.md). What it finds are hints, never proof. Thread-safe.
/// </summary>
public sealed class MdnsDiscovery : IAsyncDisposable
{
    // Interfaces are looked at this often even when the operating system tells of no change.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(100);

    // Hints for one device; a flood of them is a lie.
    private const int FoundPerSecond = 20;

    private readonly DeviceIdentity _identity;
    private readonly string? _announcedName;
    private readonly IReadOnlyList<IPEndPoint> _bound;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _gate = new();
    private readonly Dictionary<LanInterface, MdnsPort> _ports = [];
    private readonly Protocol.Discovery.TokenBucket _hints = new(FoundPerSecond, FoundPerSecond);
    private readonly Signal _wake = new();
    private readonly CancellationTokenSource _stop = new();
    private IReadOnlyList<DevicePublicKey> _admitted = [];
    private Dictionary<string, DeviceId> _hashes = [];
    private long _day;
    private TimeSpan _lookAt;
    private bool _isToldUnusable;
    private long _heard;
    private long _malformed;
    private long _offLink;
    private long _found;
    private long _sent;
    private Task _running = Task.CompletedTask;

    /// <param name="announcedName">What others see this device called; null to show no name.</param>
    /// <param name="bound">What the endpoint is bound to, with the real ports (<see cref="IMeshEndpoint.LocalAddresses"/>).</param>
    public MdnsDiscovery(DeviceIdentity identity, string? announcedName, IReadOnlyList<IPEndPoint> bound, IEntropy entropy, TimeProvider time)
    {
        _identity = identity;
        _announcedName = announcedName;
        _bound = bound;
        _entropy = entropy;
        _time = time;
        _start = time.GetTimestamp();
        _day = MdnsNames.DayOf(time.GetUtcNow());
    }

    /// <summary>A service with the name of an admitted device was said to be at this address. On a thread of the pool.</summary>
    public event Action<DeviceId, IPEndPoint>? Found;

    /// <summary>Port 5353 is not to be had, and why. Raised once; it is tried again all the same.</summary>
    public event Action<string>? Unusable;

    public MdnsCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return new MdnsCounters(_heard, _malformed, _offLink, _found, _sent, _ports.Count, _ports.Values.Count(port => port.Responder.IsKnown));
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Whose services count, from now on.</summary>
    public void Admit(IEnumerable<DevicePublicKey> devices)
    {
        lock (_gate)
        {
            _admitted = [.. devices.Where(key => key != _identity.PublicKey)];
            Rename();
        }
    }

    public void Start()
    {
        NetworkChange.NetworkAddressChanged += OnNetworkChanged;
        NetworkChange.NetworkAvailabilityChanged += OnNetworkChanged;
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        NetworkChange.NetworkAddressChanged -= OnNetworkChanged;
        NetworkChange.NetworkAvailabilityChanged -= OnNetworkChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        foreach (MdnsPort port in _ports.Values)
        {
            lock (_gate)
            {
                port.Responder.Goodbye();
                port.Pump();
            }

            await port.DisposeAsync().ConfigureAwait(false);
        }

        _ports.Clear();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await LookAsync().ConfigureAwait(false);
                TimeSpan wait;
                Task woken;
                lock (_gate)
                {
                    wait = TickAll();
                    woken = _wake.Wait();
                }

                using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAny(woken, Task.Delay(wait, _time, over.Token)).ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    /// <summary>Opens what is new and closes what is gone, when it is time to look; takes another name when the day has changed.</summary>
    private async Task LookAsync()
    {
        lock (_gate)
        {
            if (Now < _lookAt)
            {
                return;
            }

            _lookAt = Now + LookEvery;
        }

        IReadOnlyList<LanInterface> present = LanInterfaces.Find(_bound);
        bool isChanged = !_ports.Keys.ToHashSet().SetEquals(present);
        foreach (MdnsPort gone in _ports.Values.Where(port => !present.Contains(port.Interface)).ToArray())
        {
            lock (_gate)
            {
                _ports.Remove(gone.Interface);
            }

            await gone.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LanInterface fresh in present.Where(each => !_ports.ContainsKey(each)))
        {
            try
            {
                MdnsSocket socket = MdnsSocket.Open(fresh);
                lock (_gate)
                {
                    _ports.Add(fresh, new MdnsPort(fresh, socket, Responder(fresh, present), new MdnsBrowser(_entropy, Now), Heard, _time));
                }
            }
            catch (SocketException error)
            {
                // Others than these are passing: the interface has just gone, its address is not ready.
                if (error.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied && !_isToldUnusable)
                {
                    _isToldUnusable = true;
                    Unusable?.Invoke($"UDP port {MdnsSocket.Port} cannot be shared: {error.Message}");
                }
            }
        }

        lock (_gate)
        {
            foreach (MdnsPort port in _ports.Values.Where(_ => isChanged))
            {
                port.Link = OnLink.Of(port.Interface.Source);
            }

            if (MdnsNames.DayOf(_time.GetUtcNow()) is var today && today != _day)
            {
                _day = today;
                Rename();
                foreach (MdnsPort port in _ports.Values)
                {
                    port.Responder.Goodbye();
                    port.Pump();
                    port.Responder = Responder(port.Interface, present);
                }
            }
        }
    }

    private MdnsResponder Responder(LanInterface at, IReadOnlyList<LanInterface> present)
    {
        IPAddress[] addresses = [.. present.Where(each => each.Index == at.Index && each.Port == at.Port).Select(each => each.Source)];
        return new MdnsResponder(new MdnsService(MdnsNames.InstanceOf(_identity.PublicKey, _day), at.Port, addresses, _announcedName), _entropy, Now);
    }

    // A device whose clock says yesterday or tomorrow is found too.
    private void Rename() => _hashes = _admitted.SelectMany(key => ((long[])[_day - 1, _day, _day + 1]).Select(day => (MdnsNames.InstanceOf(key, day), key.Id)))
        .DistinctBy(each => each.Item1).ToDictionary(each => each.Item1, each => each.Id);

    private TimeSpan TickAll()
    {
        TimeSpan next = _lookAt;
        foreach (MdnsPort port in _ports.Values)
        {
            port.Responder.Tick(Now);
            port.Browser.Tick(Now);
            _sent += port.Pump();
            next = port.Next < next ? port.Next : next;
        }

        TimeSpan wait = next - Now;
        return wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1);
    }

    private void Heard(MdnsPort port, ReadOnlyMemory<byte> datagram, IPEndPoint from)
    {
        IReadOnlyList<MdnsSighting> sightings;
        lock (_gate)
        {
            _heard++;
            if (!port.Link.Has(from.Address))
            {
                _offLink++;
                return;
            }

            if (DnsMessage.TryRead(datagram.Span) is not { } message)
            {
                _malformed++;
                return;
            }

            TimeSpan next = port.Next;
            port.Responder.Handle(message, from, port.Link.IsOwn(from.Address), Now);
            sightings = [.. port.Browser.Handle(message, hash => _hashes.TryGetValue(hash, out DeviceId device) ? device : null, Now).Where(_ => _hints.TryTake(Now))];
            _found += sightings.Count;
            _sent += port.Pump();
            if (port.Next < next)
            {
                _wake.Set();
            }
        }

        foreach (MdnsSighting sighting in sightings)
        {
            Found?.Invoke(sighting.Device, new IPEndPoint(from.Address, sighting.Port));
        }
    }

    private void OnNetworkChanged(object? sender, EventArgs change)
    {
        lock (_gate)
        {
            TimeSpan soon = Now + Settle;
            _lookAt = soon < _lookAt ? soon : _lookAt;
            _wake.Set();
        }
    }
}

/// <summary>Messages on the port of mDNS since the start.</summary>
/// <param name="OffLink">From an address that is on no network of the interface.</param>
/// <param name="Found">Hints for devices of the mesh.</param>
/// <param name="Interfaces">Pairs of interface and address family in use now.</param>
/// <param name="Known">Those on which the name of this device is established.</param>
public readonly record struct MdnsCounters(long Heard, long Malformed, long OffLink, long Found, long Sent, int Interfaces, int Known);
