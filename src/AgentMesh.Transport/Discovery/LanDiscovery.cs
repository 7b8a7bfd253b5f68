using System.Net;
using System.Net.NetworkInformation;
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
public sealed class LanDiscovery : IAsyncDisposable
{
    // Interfaces are looked at this often even when the operating system tells of no change: after sleep, for example.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(20);

    // A change comes as several events.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(100);

    private readonly LanDiscoverySettings _settings;
    private readonly IReadOnlyList<IPEndPoint> _bound;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _gate = new();
    private readonly LanAnnouncer _announcer;
    private readonly LanListener _listener = new();
    private readonly Dictionary<LanInterface, LanPort> _ports = [];
    private readonly Signal _wake = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _outcomes = new long[Enum.GetValues<LanOutcome>().Length];
    private long _sent;
    private long _sendFailures;
    private long _openFailures;
    private TimeSpan _lookAt;
    private bool _isToldUnusable;
    private Task _running = Task.CompletedTask;

    /// <param name="bound">What the endpoint is bound to, with the real ports (<see cref="IMeshEndpoint.LocalAddresses"/>).</param>
    public LanDiscovery(DeviceIdentity identity, LanDiscoverySettings settings, IReadOnlyList<IPEndPoint> bound, IEntropy entropy, TimeProvider time)
    {
        _announcer = new LanAnnouncer(identity);
        _settings = settings;
        _bound = bound;
        _entropy = entropy;
        _time = time;
        _start = time.GetTimestamp();
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
                    _ports.Count,
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
        foreach (LanPort port in _ports.Values)
        {
            await port.DisposeAsync().ConfigureAwait(false);
        }

        _ports.Clear();
        _stop.Dispose();
    }

    /// <summary>Sends a datagram to everybody, on every interface in use.</summary>
    /// <param name="datagram">Makes it, given the port of the endpoint in the family of the interface.</param>
    /// <returns>On how many interfaces it went out.</returns>
    internal int Multicast(Func<ushort, byte[]> datagram)
    {
        lock (_gate)
        {
            return _ports.Values.Count(port => port.TrySend(datagram(port.Interface.Port)));
        }
    }

    private MeshInstant Now => new(_time.GetElapsedTime(_start), _time.GetUtcNow());

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
                    wait = AnnounceDue();
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

    /// <summary>Opens what is new and closes what is gone, when it is time to look.</summary>
    private async Task LookAsync()
    {
        lock (_gate)
        {
            if (Now.Monotonic < _lookAt)
            {
                return;
            }

            _lookAt = Now.Monotonic + LookEvery;
        }

        IReadOnlyList<LanInterface> present = LanInterfaces.Find(_bound);
        foreach (LanPort gone in _ports.Values.Where(port => !present.Contains(port.Interface)).ToArray())
        {
            lock (_gate)
            {
                _ports.Remove(gone.Interface);
            }

            await gone.DisposeAsync().ConfigureAwait(false);
        }

        foreach (LanInterface fresh in present.Where(each => !_ports.ContainsKey(each)))
        {
            var schedule = new AnnouncementSchedule(_settings.Interval > LanDiscoverySettings.IntervalMin ? _settings.Interval : LanDiscoverySettings.IntervalMin, _entropy, Now.Monotonic);
            LanPort? port = LanPort.TryOpen(fresh, _settings.Port, schedule, Heard, _time, out SocketException? problem);
            if (problem?.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied && !_isToldUnusable)
            {
                // Others are passing: the interface has just gone, its address is not ready.
                _isToldUnusable = true;
                Unusable?.Invoke($"UDP port {_settings.Port} cannot be shared: {problem.Message}");
            }

            lock (_gate)
            {
                if (port is null)
                {
                    _openFailures++;
                }
                else
                {
                    _ports.Add(fresh, port);
                }
            }
        }
    }

    /// <summary>Under the lock.</summary>
    /// <returns>How long to wait for the next thing to do.</returns>
    private TimeSpan AnnounceDue()
    {
        MeshInstant now = Now;
        foreach (LanPort port in _ports.Values)
        {
            if (port.Schedule.TryTake(now.Monotonic, out bool wantsAnswer))
            {
                bool sent = port.TrySend(_announcer.Announce(port.Interface.Source, port.Interface.Port, wantsAnswer, now.Wall));
                _sent += sent ? 1 : 0;
                _sendFailures += sent ? 0 : 1;
            }
        }

        TimeSpan next = _ports.Values.Select(port => port.Schedule.Next).Append(_lookAt).Min() - now.Monotonic;
        return next > TimeSpan.FromMilliseconds(1) ? next : TimeSpan.FromMilliseconds(1);
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
                _wake.Set();
            }
        }

        Found?.Invoke(sighting.Device, sighting.At);
    }

    private void OnNetworkChanged(object? sender, EventArgs change)
    {
        lock (_gate)
        {
            TimeSpan soon = Now.Monotonic + Settle;
            _lookAt = soon < _lookAt ? soon : _lookAt;
            _wake.Set();
        }
    }
}
