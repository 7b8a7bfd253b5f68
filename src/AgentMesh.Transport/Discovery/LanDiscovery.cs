using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Announces this device on the local links and listens for the others of its mesh (lan-v1.md). Follows the interfaces as they come and go. What it finds are hints, never
/// proof. Thread-safe.
/// </summary>
public sealed class LanDiscovery : ILinkWork<LanPort>, IAsyncDisposable
{
    private readonly LanDiscoverySettings _settings;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly LinkPorts<LanPort> _ports;
    private readonly LanAnnouncer _announcer;
    private readonly LanListener _listener = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<LanOutcome>().Length];
    private long _sent;
    private long _sendFailures;
    private long _openFailures;

    /// <param name="bound">What the endpoint is bound to, with the real ports (<see cref="IMeshEndpoint.LocalAddresses"/>).</param>
    public LanDiscovery(DeviceIdentity identity, LanDiscoverySettings settings, IReadOnlyList<IPEndPoint> bound, IEntropy entropy, TimeProvider time)
    {
        _announcer = new LanAnnouncer(identity);
        _settings = settings;
        _entropy = entropy;
        _time = time;
        _ports = new LinkPorts<LanPort>(_gate, bound, this, time);
        _ports.Unusable += why => Unusable?.Invoke($"UDP port {_settings.Port} cannot be shared: {why}");
    }

    /// <summary>An admitted device has announced itself. Raised on a thread of the pool, for each announcement that passed; not for those of this device.</summary>
    public event Action<DeviceId, IPEndPoint>? Found;

    /// <summary>Takes the messages of pairing by code that came to the group, and where from; must not wait.</summary>
    internal Action<ReadOnlySpan<byte>, IPAddress>? PairingTaker { get; set; }

    /// <summary>The port of the announcements is not to be had, and why. Raised once; it is tried again all the same.</summary>
    public event Action<string>? Unusable;

    public LanCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return new LanCounters(
                    _outcomes[(int)LanOutcome.Accepted],
                    _outcomes[(int)LanOutcome.Malformed],
                    _outcomes[(int)LanOutcome.Stranger],
                    _outcomes[(int)LanOutcome.Limited],
                    _outcomes[(int)LanOutcome.Forged],
                    _outcomes[(int)LanOutcome.Replayed],
                    _sent,
                    _sendFailures,
                    _ports.All.Count,
                    _openFailures);
            }
        }
    }

    /// <summary>Whose announcements count, from now on. Others are dropped.</summary>
    public void Admit(IEnumerable<DevicePublicKey> devices)
    {
        lock (_gate)
        {
            _listener.Admit(devices);
        }
    }

    public void Start() => _ports.Start();

    public ValueTask DisposeAsync() => _ports.DisposeAsync();

    /// <summary>Sends a datagram to everybody, on every interface in use.</summary>
    /// <param name="datagram">Makes it, given the port of the endpoint in the family of the interface.</param>
    /// <returns>On how many interfaces it went out.</returns>
    internal int Multicast(Func<ushort, byte[]> datagram)
    {
        lock (_gate)
        {
            return _ports.All.Count(port => port.TrySend(datagram(port.Interface.Port)));
        }
    }

    private MeshInstant Now => new(_ports.Now, _time.GetUtcNow());

    LanPort? ILinkWork<LanPort>.TryOpen(LanInterface at, IReadOnlyList<LanInterface> present, out SocketException? problem)
    {
        var schedule = new AnnouncementSchedule(_settings.Interval > LanDiscoverySettings.IntervalMin ? _settings.Interval : LanDiscoverySettings.IntervalMin, _entropy, _ports.Now);
        LanPort? port = LanPort.TryOpen(at, _settings.Port, schedule, Heard, _time, out problem);
        if (port is null)
        {
            Interlocked.Increment(ref _openFailures);
        }

        return port;
    }

    void ILinkWork<LanPort>.Looked(IReadOnlyList<LanInterface> present, bool isChanged)
    {
    }

    /// <summary>Announces where it is time to.</summary>
    TimeSpan ILinkWork<LanPort>.Tick()
    {
        MeshInstant now = Now;
        TimeSpan next = TimeSpan.MaxValue;
        foreach (LanPort port in _ports.All)
        {
            if (port.Schedule.TryTake(now.Monotonic, out bool wantsAnswer))
            {
                bool sent = port.TrySend(_announcer.Announce(port.Interface.Source, port.Interface.Port, wantsAnswer, now.Wall));
                _sent += sent ? 1 : 0;
                _sendFailures += sent ? 0 : 1;
            }

            next = port.Schedule.Next < next ? port.Schedule.Next : next;
        }

        return next;
    }

    void ILinkWork<LanPort>.Closing(LanPort port)
    {
    }

    private void Heard(LanPort port, ReadOnlyMemory<byte> datagram, IPAddress source)
    {
        if (Datagrams.KindOf(datagram.Span) == DatagramKind.Pairing)
        {
            PairingTaker?.Invoke(datagram.Span, source);
            return;
        }

        LanSighting sighting;
        lock (_gate)
        {
            MeshInstant now = Now;
            LanOutcome outcome = _listener.Handle(datagram.Span, source, now, out sighting);
            _outcomes[(int)outcome]++;
            if (outcome != LanOutcome.Accepted)
            {
                return;
            }

            if (sighting.WantsAnswer)
            {
                port.Schedule.Answer(now.Monotonic);
                _ports.Wake();
            }
        }

        Found?.Invoke(sighting.Device, sighting.At);
    }
}
