using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Shows this device on the local links as a service of mDNS and DNS-SD, and finds the others of its mesh so (mdns-v1.md). What it finds are hints, never proof. Thread-safe.
/// </summary>
public sealed class MdnsDiscovery : ILinkWork<MdnsPort>, IAsyncDisposable
{
    // Hints for one device; a flood of them is a lie.
    private const int FoundPerSecond = 20;

    private readonly DeviceIdentity _identity;
    private readonly string? _announcedName;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly LinkPorts<MdnsPort> _ports;
    private readonly Protocol.Discovery.TokenBucket _hints = new(FoundPerSecond, FoundPerSecond);
    private IReadOnlyList<DevicePublicKey> _admitted = [];
    private Dictionary<string, DeviceId> _hashes = [];
    private long _day;
    private long _heard;
    private long _malformed;
    private long _offLink;
    private long _found;
    private long _sent;

    /// <param name="announcedName">What others see this device called; null to show no name.</param>
    /// <param name="bound">What the endpoint is bound to, with the real ports (<see cref="IMeshEndpoint.LocalAddresses"/>).</param>
    public MdnsDiscovery(DeviceIdentity identity, string? announcedName, IReadOnlyList<IPEndPoint> bound, IEntropy entropy, TimeProvider time)
    {
        _identity = identity;
        _announcedName = announcedName;
        _entropy = entropy;
        _time = time;
        _ports = new LinkPorts<MdnsPort>(_gate, bound, this, time);
        _ports.Unusable += why => Unusable?.Invoke($"UDP port {MdnsSocket.Port} cannot be shared: {why}");
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
                return new MdnsCounters(_heard, _malformed, _offLink, _found, _sent, _ports.All.Count, _ports.All.Count(port => port.Responder.IsKnown));
            }
        }
    }

    private TimeSpan Now => _ports.Now;

    /// <summary>Whose services count, from now on.</summary>
    public void Admit(IEnumerable<DevicePublicKey> devices)
    {
        lock (_gate)
        {
            _admitted = [.. devices.Where(key => key != _identity.PublicKey)];
            Rename();
        }
    }

    public void Start() => _ports.Start();

    public ValueTask DisposeAsync() => _ports.DisposeAsync();

    MdnsPort? ILinkWork<MdnsPort>.TryOpen(LanInterface at, IReadOnlyList<LanInterface> present, out SocketException? problem)
    {
        problem = null;
        try
        {
            return new MdnsPort(at, MdnsSocket.Open(at), Responder(at, present), new MdnsBrowser(_entropy, Now), Heard, _time);
        }
        catch (SocketException error)
        {
            problem = error;
            return null;
        }
    }

    /// <summary>Takes another name when the day has changed.</summary>
    void ILinkWork<MdnsPort>.Looked(IReadOnlyList<LanInterface> present, bool isChanged)
    {
        foreach (MdnsPort port in _ports.All.Where(_ => isChanged))
        {
            port.Link = OnLink.Of(port.Interface.Source);
        }

        if (MdnsNames.DayOf(_time.GetUtcNow()) is var today && today != _day)
        {
            _day = today;
            Rename();
            foreach (MdnsPort port in _ports.All)
            {
                port.Responder.Goodbye();
                port.Pump();
                port.Responder = Responder(port.Interface, present);
            }
        }
    }

    TimeSpan ILinkWork<MdnsPort>.Tick()
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (MdnsPort port in _ports.All)
        {
            port.Responder.Tick(Now);
            port.Browser.Tick(Now);
            _sent += port.Pump();
            next = port.Next < next ? port.Next : next;
        }

        return next;
    }

    void ILinkWork<MdnsPort>.Closing(MdnsPort port)
    {
        port.Responder.Goodbye();
        port.Pump();
    }

    private MdnsResponder Responder(LanInterface at, IReadOnlyList<LanInterface> present)
    {
        IPAddress[] addresses = [.. present.Where(each => each.Index == at.Index && each.Port == at.Port).Select(each => each.Source)];
        return new MdnsResponder(new MdnsService(MdnsNames.InstanceOf(_identity.PublicKey, _day), at.Port, addresses, _announcedName), _entropy, Now);
    }

    // A device whose clock says yesterday or tomorrow is found too.
    private void Rename() => _hashes = _admitted.SelectMany(key => ((long[])[_day - 1, _day, _day + 1]).Select(day => (MdnsNames.InstanceOf(key, day), key.Id)))
        .DistinctBy(each => each.Item1).ToDictionary(each => each.Item1, each => each.Id);

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
                _ports.Wake();
            }
        }

        foreach (MdnsSighting sighting in sightings)
        {
            Found?.Invoke(sighting.Device, new IPEndPoint(from.Address, sighting.Port));
        }
    }
}

/// <summary>Messages on the port of mDNS since the start.</summary>
/// <param name="OffLink">From an address that is on no network of the interface.</param>
/// <param name="Found">Hints for devices of the mesh.</param>
/// <param name="Interfaces">Pairs of interface and address family in use now.</param>
/// <param name="Known">Those on which the name of this device is established.</param>
public readonly record struct MdnsCounters(long Heard, long Malformed, long OffLink, long Found, long Sent, int Interfaces, int Known);
