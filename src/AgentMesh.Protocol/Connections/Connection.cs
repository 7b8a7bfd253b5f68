using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// One session with another device, from the end of the handshake on, without socket, timer or thread. One owner at a time calls it; after every call the owner sends
/// what <see cref="PollTransmit"/> gives, takes what <see cref="TryReadEvent"/> gives and sets its timer to <see cref="NextTimeout"/>.
/// </summary>
internal sealed class Connection : IFrameFate, IDisposable
{
    // At least, for the answer to the first question after a sleep.
    private static readonly TimeSpan WakePatience = TimeSpan.FromSeconds(1);

    private readonly TransportParameters _remote;
    private readonly byte[] _resetToken;
    private readonly IPacketProtector _protector;
    private readonly Queue<ConnectionEvent> _events = new();
    private readonly RekeyCarrier _rekey;
    private readonly Liveness _liveness;
    private readonly Closing _closing = new();
    private readonly FrameReceiver _receiver;
    private readonly ConnectionSettings _settings;
    private readonly NetworkPath _path;
    private readonly SendShare? _share;
    private readonly ReceiveShare? _credit;
    private readonly Whereabouts _where;
    private readonly PathProber _prober;
    private readonly PathTable _paths;
    private readonly PathMeasuring _measuring;
    private readonly AddressTeller _teller;
    private readonly MappingWatch _mapping;
    private readonly Transmitter _transmitter;
    private readonly PathFollower _follower;
    private readonly ArrivalNews _news;
    private readonly ConnectionTimes _times;

    /// <param name="mtu">Greatest datagrams; cut to what the other side takes.</param>
    /// <param name="entropy">Makes the questions that prove a new address of the other side; null: it stays where it is.</param>
    /// <param name="share">In what this device sends in a second; null: as much as the paths carry.</param>
    /// <param name="credit">In what this device receives in a second; null: as much as the windows take.</param>
    public Connection(EstablishedSession session, ConnectionSettings settings, MtuSettings mtu, TimeSpan now, IEntropy? entropy = null, SendShare? share = null, ReceiveShare? credit = null)
    {
        settings.Check();
        (_share, _credit) = (share, credit);
        _settings = settings;
        _protector = session.Protector;
        _remote = TransportParameters.Read(session.RemoteParameters.Span);
        _resetToken = TransportParameters.ResetTokenOf(session.RemoteParameters.Span).ToArray();
        _rekey = new RekeyCarrier(_protector);
        _liveness = new Liveness(settings, now);
        _path = new NetworkPath(default, mtu, _remote, settings, session.RemoteConnectionId.Value ^ session.LocalConnectionId.Value, this);
        _where = new Whereabouts(session.RemoteAddress, entropy, waitsFirst: session.IsInitiator);
        _prober = new PathProber(entropy);
        _paths = new PathTable(_where, _liveness, entropy, chooses: session.IsInitiator);
        _paths.Active.TakenAt = now;
        _measuring = new PathMeasuring(entropy);
        _teller = new AddressTeller(entropy is not null && (_remote.Takes & TransportParameters.TakesObservedAddress) != 0);
        _teller.IsAt(_where.Remote);
        _mapping = new MappingWatch(now);
        _mapping.Moved(_where.Remote, now);
        Streams = new StreamLayer(session.IsInitiator, settings, _remote, credit, _events) { RoundTrip = RttEstimator.Initial };
        _receiver = new FrameReceiver(_path, _where, _prober, _paths, _measuring, _mapping, Streams, _protector, _remote.AckDelayMax);
        TuneSendBuffer();
        _transmitter = new Transmitter(session, _path, _where, _prober, _paths, _measuring, _teller, _mapping, _rekey, _liveness, _closing, Streams, new AckThinning(_path, settings.AckThinning && (_remote.Takes & TransportParameters.TakesAckFrequency) != 0), share, _remote.AckDelayMax)
        {
            AsksForMarks = settings.Ecn && (_remote.Takes & TransportParameters.TakesEcnCounts) != 0,
            IsPingPending = session.IsInitiator, // the other side starts when it has a packet
        };
        _follower = new PathFollower(_path, _where, _prober, _paths, _measuring, _teller, _mapping, _transmitter, _events, _remote.AckDelayMax);
        Search = new DirectSearch(_closing, _where, _prober);
        _news = new ArrivalNews(_path, _where, _paths, _follower, _liveness, _remote.AckDelayMax);
        _times = new ConnectionTimes(_path, _where, _prober, _paths, _follower, _mapping, _transmitter, _liveness, _protector, Streams, share, _remote.AckDelayMax);
    }

    public StreamLayer Streams { get; }

    /// <summary>Looks for direct paths while the connection is open.</summary>
    public DirectSearch Search { get; }

    public NetworkPath Path => _path;

    /// <summary>The ways to the other side, the one in use first.</summary>
    public PathTable Paths => _paths;

    /// <summary>What is known of the NAT before this device.</summary>
    public MappingWatch Mapping => _mapping;

    /// <summary>After so much silence the other side is asked whether it is there, with what was learned of the NAT; null: never.</summary>
    public TimeSpan? KeepAliveAfter => _liveness.KeepAliveAfter(_mapping.Idle);

    /// <summary>Where the other side is, as far as it has proven.</summary>
    public IPEndPoint Remote => _where.Remote;

    /// <summary>Where the datagram goes that <see cref="PollTransmit"/> wrote last.</summary>
    public IPEndPoint Destination => _transmitter.Destination;

    /// <summary>Queues on the path in use may mark packets of this side, unless the path was found not to keep that.</summary>
    public bool AsksForMarks => _transmitter.MayCarryMarks;

    /// <summary>What these datagrams are to be sent with.</summary>
    public EcnCodepoint Ecn => _transmitter.IsEct ? EcnCodepoint.Ect0 : EcnCodepoint.NotEct;

    public bool IsOpen => _closing.IsOpen;

    /// <summary>The owner may forget the connection.</summary>
    public bool IsDrained => _closing.IsDrained;

    /// <inheritdoc cref="ConnectionTimes.SilenceMax"/>
    public TimeSpan? SilenceMax
    {
        get => _times.SilenceMax;
        set => _times.SilenceMax = value;
    }

    /// <summary>Set when <see cref="IsOpen"/> is false.</summary>
    public ConnectionEnding End { get; private set; }

    /// <summary>Packets that were not authentic, not new or not readable.</summary>
    public long Dropped { get; private set; }

    /// <summary>Takes one datagram from where the other side is known to be.</summary>
    public void HandleDatagram(Span<byte> datagram, TimeSpan now, EcnCodepoint ecn = EcnCodepoint.NotEct) => HandleDatagram(datagram, _where.Remote, now, ecn);

    /// <summary>Takes one datagram and uses it as scratch. Never throws for bytes.</summary>
    public void HandleDatagram(Span<byte> datagram, IPEndPoint from, TimeSpan now, EcnCodepoint ecn = EcnCodepoint.NotEct) => HandleDatagrams(datagram, datagram.Length, from, now, ecn);

    /// <summary>Takes datagrams that lie one behind the other, each <paramref name="datagramBytes"/> long but the last, which may be shorter.</summary>
    /// <param name="ecn">What all of them arrived with.</param>
    public void HandleDatagrams(Span<byte> datagrams, int datagramBytes, IPEndPoint from, TimeSpan now, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        if (IsDrained)
        {
            return;
        }

        _protector.UnmaskArrived(datagrams, datagramBytes);
        while (!datagrams.IsEmpty && !IsDrained)
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            HandleUnmasked(datagrams[..length], from, now, ecn);
            datagrams = datagrams[length..];
        }

        Streams.RoundTrip = _path.Rtt.Smoothed;
        TuneSendBuffer();
    }

    private void HandleUnmasked(Span<byte> datagram, IPEndPoint from, TimeSpan now, EcnCodepoint ecn)
    {
        OpenStatus status = _protector.OpenBare(datagram, _path.Id, now, out OpenedPacket packet);
        if (status != OpenStatus.Opened)
        {
            Dropped++;
            return;
        }

        if (!IsOpen && !HasClose(datagram.Slice(packet.PayloadOffset, packet.PayloadLength)))
        {
            _closing.PacketArrived();
            return;
        }

        FrameOutcome outcome = _receiver.Handle(datagram.Slice(packet.PayloadOffset, packet.PayloadLength), now);
        _credit?.Arrived(datagram.Length);
        if (outcome.Close is { } close)
        {
            EndWithoutAWord(new ConnectionEnding(ByRemote: true, close.Code, close.Reason));
            return;
        }

        if (outcome.Violation != CloseCodes.None)
        {
            Close(outcome.Violation, "protocol violation", now);
            return;
        }

        _news.Tell(outcome, packet.PacketNumber, datagram.Length, from, now, ecn);
    }

    /// <summary>Writes the next datagram; to be called until it returns 0. <paramref name="buffer"/> holds at least <see cref="NetworkPath.DatagramBytes"/> of the path.</summary>
    public int PollTransmit(Span<byte> buffer, TimeSpan now) => PollTransmits(buffer, 1, now, out _);

    /// <summary>
    /// Writes the next datagrams one behind the other, all for <see cref="Destination"/> and all equally long but the last, which may be shorter; to be called until it
    /// returns 0. <paramref name="buffer"/> holds at least one as long as the path takes.
    /// </summary>
    /// <param name="countMax">At most so many.</param>
    /// <param name="datagramBytes">The length of the first.</param>
    public int PollTransmits(Span<byte> buffer, int countMax, TimeSpan now, out int datagramBytes)
    {
        Streams.ExtendCredit(now);
        int used = _transmitter.Poll(buffer, countMax, now, out datagramBytes);
        if (_transmitter.HasNoKeys)
        {
            EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.KeysExpired, "the keys could not be renewed in time"));
        }

        return used;
    }

    /// <summary>The operating system refused the datagrams that <see cref="PollTransmits"/> wrote last, because they are longer than the first link carries.</summary>
    public void HandleTooLong(TimeSpan now)
    {
        if (IsOpen)
        {
            _transmitter.TooLong(now);
        }
    }

    /// <summary>When <see cref="HandleTimeout"/> or <see cref="PollTransmit"/> has something to do next.</summary>
    public TimeSpan NextTimeout() => IsOpen ? _times.Next() : _closing.NextTimeout;

    public void HandleTimeout(TimeSpan now)
    {
        _closing.HandleTimeout(now);
        if (!IsOpen)
        {
            return;
        }

        _path.Loss.HandleTimeout(now, _remote.AckDelayMax);
        _path.Mtu.HandleTimeout(now);
        if (_path.Loss.PacketsInFlight == 0)
        {
            _liveness.NothingInFlight();
        }

        _follower.HandleTimeout(now);
        if (_times.IsMoveWanted && now >= _mapping.MoveAt)
        {
            _mapping.Tried(now);
            if (_liveness.IsUsed(now))
            {
                // A port that nobody uses may end.
                _events.Enqueue(new ConnectionEvent(ConnectionEventKind.SocketWanted));
            }
        }

        if (_protector.IsExpired(now))
        {
            EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.KeysExpired, "the keys could not be renewed in time"));
        }
        else if (_liveness.IsDead(now) || _times.SilentAt <= now)
        {
            EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.TimedOut, "the other device does not answer any more"));
        }
        else if (_liveness.IsIdle(Streams.Count > 0, now))
        {
            Close(CloseCodes.None, "idle", now);
        }
        else
        {
            _transmitter.IsPingPending |= _liveness.MustAsk(_times.Needs, now);
        }
    }

    public bool TryReadEvent(out ConnectionEvent happened) => _events.TryDequeue(out happened);

    /// <summary>The relays by which the other side can be reached now; those of devices are taken before those of beacons.</summary>
    public void SetRelays(IReadOnlyList<RelayWay> relays, TimeSpan now)
    {
        if (IsOpen && _paths.SetRelays(relays, now) is { } other)
        {
            _follower.MoveTo(other, failed: false, now);
        }
    }

    /// <summary>
    /// Another socket may be used from now on, whose port the NAT has not given out yet: packets go by it as soon as the other side has answered there, before the port in use ends.
    /// </summary>
    /// <param name="socket">As in <see cref="SpareAddress"/>.</param>
    public void TakeSocket(ushort socket, TimeSpan now)
    {
        if (IsOpen && _follower.MayMoveSocket)
        {
            _paths.TakeSocket(SpareAddress.Of(socket, SpareAddress.Plain(_where.Remote)), now);
        }
    }

    /// <summary>A path leads over this socket.</summary>
    public bool UsesSocket(ushort socket) => _paths.All.Any(path => SpareAddress.TryRead(path.Address, out ushort used, out _) && used == socket);

    /// <summary>
    /// This device may be in another network now, or its machine was asleep: the other side is to hear from it at once, and not only at the next keepalive or probe.
    /// </summary>
    /// <param name="hasSlept">For longer than others wait: where no answer comes soon, the other side has given up, and this one does too.</param>
    public void HandleNetworkChange(bool hasSlept, TimeSpan now)
    {
        if (!IsOpen)
        {
            return;
        }

        _path.Loss.Moved();
        _path.Received.Unthin();
        _paths.Suspect(now);
        _transmitter.IsPingPending = true;
        if (hasSlept)
        {
            TimeSpan probes = 3 * _path.Rtt.ProbeTimeout(_remote.AckDelayMax);
            _liveness.Woke(probes > WakePatience ? probes : WakePatience);
        }
    }

    /// <summary>Puts a question to one of <see cref="Paths"/> only to measure it: which one is in use does not depend on the answer.</summary>
    /// <returns>Null where too many wait for an answer, or none can be put.</returns>
    public PathQuestion? Measure(IPEndPoint path) => IsOpen ? _measuring.Begin(path) : null;

    /// <summary>Nobody waits for the answer any more.</summary>
    public void GiveUp(PathQuestion question) => _measuring.GiveUp(question);

    /// <summary>Says goodbye; what was not sent yet is not sent any more.</summary>
    public void Close(ulong code, string reason, TimeSpan now)
    {
        if (IsOpen)
        {
            _closing.Begin(new CloseFrame(code, reason), now, _path.Rtt.ProbeTimeout(_remote.AckDelayMax));
            Finish(new ConnectionEnding(ByRemote: false, code, reason));
        }
    }

    /// <summary>Ends at once and sends nothing, because nobody would hear it.</summary>
    public void EndWithoutAWord(ConnectionEnding end)
    {
        bool wasOpen = IsOpen;
        _closing.Drain();
        if (wasOpen)
        {
            Finish(end);
        }
    }

    /// <summary>Somebody says that the other side has forgotten this session. Only who knows the secret that it told in the handshake is believed.</summary>
    public void HandleReset(ReadOnlySpan<byte> token)
    {
        if (!_resetToken.AsSpan().ContainsAnyExcept((byte)0) || !CryptographicOperations.FixedTimeEquals(token, _resetToken))
        {
            Dropped++;
            return;
        }

        EndWithoutAWord(new ConnectionEnding(ByRemote: true, CloseCodes.Forgotten, "the other device was restarted and has forgotten this connection"));
    }

    public void Dispose()
    {
        _share?.Dispose();
        _credit?.Dispose();
        _protector.Dispose();
    }

    void IFrameFate.FrameAcked(in SentFrame frame) => Streams.Acked(frame);

    void IFrameFate.FrameLost(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.ObservedAddress)
        {
            _teller.Lost(frame.Offset);
        }
        else if (frame.Kind == SentFrameKind.Rekey)
        {
            _rekey.Lost(frame.Offset);
        }
        else
        {
            Streams.Lost(frame);
        }
    }

    private void Finish(ConnectionEnding end)
    {
        End = end;
        Streams.Release();
        _events.Enqueue(new ConnectionEvent(ConnectionEventKind.Closed));
    }

    private void TuneSendBuffer() =>
        Streams.SendBuffer = (int)Math.Clamp(2 * _path.Congestion.Window, _settings.SendBuffer, _settings.SendBufferMax);

    // While closing, only the other side's goodbye matters.
    private bool HasClose(ReadOnlySpan<byte> payload)
    {
        if (!FrameReceiver.ContainsClose(payload))
        {
            return false;
        }

        _closing.Drain();
        return true;
    }
}
