using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// The paths of a connection: one in use, up to seven beside it that have proven themselves or lead over relays. Those beside it are asked now and then while the connection
/// is used, so that one of them can take over at once.
/// <code>
/// in use    event                                                        then in use
/// any       nothing acknowledged for a while, and another one answers    that one
/// direct    nothing acknowledged for longer                              the relay, whether it answers or not
/// relay     a better kind of relay                                       that one
/// relay     a direct one proves itself                                   direct
/// relay     relay gone, and a direct one was in use                      the direct one
/// direct    another direct one is better by far, three times in a row    that one (chosen by one side, followed by the other)
/// </code>
/// </summary>
internal sealed class PathTable
{
    public const int WinsMin = 3;

    private static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan DoubtMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GraceMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MarginMin = TimeSpan.FromMilliseconds(5);

    private readonly Whereabouts _where;
    private readonly Liveness _liveness;
    private readonly KnownPaths _known;
    private readonly PathQuestions _questions;
    private TimeSpan? _doubtSince;
    private TimeSpan _mayDoubtAt;
    private TimeSpan _movedAt = TimeSpan.MinValue;
    private KnownPath? _answered;
    private IPEndPoint? _heardFrom;

    /// <param name="chooses">One of both sides chooses between direct paths; two would draw each other to and fro.</param>
    public PathTable(Whereabouts where, Liveness liveness, IEntropy? entropy, bool chooses)
    {
        _where = where;
        _liveness = liveness;
        _known = new KnownPaths(where);
        _questions = new PathQuestions(_known, liveness, entropy, chooses);
    }

    /// <summary>The one in use first, then in the order in which they became known.</summary>
    public IReadOnlyList<KnownPath> All => _known.All;

    public KnownPath Active => _known.Active;

    /// <summary>The path in use is not sure to work.</summary>
    public bool IsInDoubt => _doubtSince is not null;

    /// <summary>Acknowledgements go where the other side's newest packets came from, since that way works; null: where the rest goes.</summary>
    public IPEndPoint? AckTo { get; private set; }

    /// <summary>Questions put since the start.</summary>
    public long Questions => _questions.Count;

    public bool HasRelay => _known.HasRelay;

    /// <summary>The relays that there are now.</summary>
    /// <returns>Where to go at once; null to stay.</returns>
    public KnownPath? SetRelays(IReadOnlyList<RelayWay> relays, TimeSpan now)
    {
        relays = _known.SetRelays(relays);
        foreach (RelayWay relay in relays.Where(relay => _known.Find(relay.Address) is null))
        {
            Add(KnownPaths.Of(relay.Address, relay.IsByPeer), now);
        }

        KnownPath? relayed = relays.Count > 0 ? _known.Find(relays.MinBy(relay => (relay.IsByPeer ? 0 : 1, relay.Address.Equals(_where.Remote) ? 0 : 1)).Address) : null;
        if (!_where.IsRelayed)
        {
            // One that had fallen silent was only taken for want of a relay.
            return Active.IsFailed ? relayed : null;
        }

        KnownPath? wanted = relayed ?? All.Skip(1).Where(path => path.Kind == PathKind.Direct).MaxBy(path => path.LeftAt);
        return wanted is null || ReferenceEquals(wanted, Active) ? null : wanted;
    }

    /// <summary>The other side has proven to be reached here too, or was seen to be, by something short.</summary>
    /// <returns>Null where that is not enough: the path was left because it fell silent, and may swallow what is longer. It is asked whether it does, and taken when it answers.</returns>
    public KnownPath? Proven(IPEndPoint address, TimeSpan now)
    {
        KnownPath path = FindOrAdd(address, now);
        if (path.IsFailed && !ReferenceEquals(path, Active))
        {
            path.Release(now);
            _questions.Ask(path, now);
            return null;
        }

        path.Works(now);
        _questions.Ask(path, now);
        return path;
    }

    /// <summary>The same address over another socket: taken when it answers.</summary>
    public void TakeSocket(IPEndPoint address, TimeSpan now)
    {
        // Sockets of earlier times are not needed any more, nor is one that has not answered.
        _known.RemoveSpares();
        _questions.Ask(Add(new KnownPath(address, PathKind.Direct) { SpareSince = now }, now), now);
    }

    /// <summary>Packets go to <see cref="Whereabouts.Remote"/> from now on.</summary>
    /// <param name="failed">The one before is left because it fell silent.</param>
    public void Moved(bool failed, TimeSpan now)
    {
        KnownPath before = Active, active = FindOrAdd(_where.Remote, now);
        _known.Activate(active);
        before.LeftAt = _movedAt = now;
        active.TakenAt = ReferenceEquals(before, active) ? active.TakenAt : now;
        if (failed)
        {
            before.Failed(now);
        }

        active.Wins = 0;
        AckTo = null;
        _heardFrom = null;
        _doubtSince = null;
        _mayDoubtAt = now + GraceMin;

        // The same host at another port: its NAT has forgotten the one before.
        if (_known.IsGone(before) || (before.Kind == PathKind.Direct && active.Kind == PathKind.Direct && before.Address.Address.Equals(active.Address.Address)))
        {
            _known.Remove(before);
        }

        _questions.Moved(left: active.SpareSince is not null && before.Kind == PathKind.Direct ? before : null, now);
    }

    /// <summary>A newer packet that says more than a question came from an address; from elsewhere than the one in use it is a reason to doubt that one.</summary>
    public void Heard(IPEndPoint from, TimeSpan now)
    {
        if (ReferenceEquals(from, _heardFrom) && AckTo is null)
        {
            return;
        }

        _heardFrom = from;
        if (from.Equals(_where.Remote))
        {
            if (AckTo is not null && RelayAddress.IsRelay(AckTo))
            {
                // It had fallen back and came again: when it does so the next time, this is news. Between direct paths it may only be choosing.
                _mayDoubtAt = Min(_mayDoubtAt, now + GraceMin);
            }

            AckTo = null;
            return;
        }

        if (_known.Find(from) is { } known && (known.HasAnswered || known.Kind != PathKind.Direct))
        {
            AckTo = known.Address;
            if (_doubtSince is null && now >= _mayDoubtAt)
            {
                Doubt(now);
            }
        }
    }

    /// <summary>There is a reason from outside to doubt the path in use: this device is in another network, or was asleep.</summary>
    public void Suspect(TimeSpan now)
    {
        if (_doubtSince is null)
        {
            Doubt(now);
        }
    }

    /// <summary>Something was acknowledged for the first time: the path in use works, if it carried that since it is in doubt.</summary>
    /// <param name="sentAt">The newest of it.</param>
    public void Acknowledged(TimeSpan sentAt, TimeSpan now)
    {
        if (_doubtSince is { } since && sentAt < since)
        {
            return; // acknowledged late, perhaps by another path
        }

        Active.Works(now);
        if (_doubtSince is not null)
        {
            EndDoubt(now);
        }
    }

    /// <summary>An answer came; <see cref="TryAnswer"/> judges it.</summary>
    public void Answered(ReadOnlySpan<byte> data)
    {
        _answered = null;
        foreach (KnownPath path in _known.Each)
        {
            if (path.IsAsked && CryptographicOperations.FixedTimeEquals(path.Challenge, data))
            {
                _answered = path;
            }
        }
    }

    /// <summary>Judges the answer of the packet that came from here.</summary>
    /// <returns>Where to go at once; null to stay.</returns>
    public KnownPath? TryAnswer(IPEndPoint from, RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now)
    {
        KnownPath? path = _answered;
        _answered = null;
        if (path is null || !path.Address.Equals(from))
        {
            return null;
        }

        path.Answered(now);
        path.NextAt = TimeSpan.MaxValue;
        if (ReferenceEquals(path, Active))
        {
            if (_doubtSince is not null)
            {
                EndDoubt(now);
            }
        }
        else
        {
            if (_where.HasAsked(path.Address) || (path is { SpareSince: not null, Traffic: null } && Active.Kind == PathKind.Direct))
            {
                return path; // the other side has gone there
            }

            path.NextAt = now + PathQuestions.RefreshTime;
            if (_doubtSince is null && IsBetter(path, now))
            {
                if (path.Kind < Active.Kind || ++path.Wins >= WinsMin)
                {
                    return path;
                }

                path.NextAt = now + PathQuestions.MeasureTime;
            }
            else
            {
                path.NextAt = path.Kind < Active.Kind && path.HeldUntil > now ? path.HeldUntil
                    : _questions.MayChoose(path) && Active.RoundTrip is null ? now + PathQuestions.MeasureTime // there is nothing to compare it with yet
                    : path.NextAt;
                path.Wins = 0;
            }
        }

        _questions.Plan();
        return Successor(rtt, ackDelayMax, now);
    }

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public TimeSpan NextTimeout(RttEstimator rtt, TimeSpan ackDelayMax)
    {
        TimeSpan next = TimeSpan.MaxValue;
        if (All.Count == 1)
        {
            return next;
        }

        if (SilentSince is { } since)
        {
            next = _doubtSince is null && CanDoubt ? Min(next, Max(since + DoubtAfter(rtt, ackDelayMax), _mayDoubtAt)) : next;
            next = CanFallBack ? Min(next, since + Patience(rtt, ackDelayMax)) : next;
        }

        return _doubtSince is { } doubt && Standby(doubt) is not null ? Min(next, doubt + Grace(rtt, ackDelayMax)) : next;
    }

    /// <returns>Where to go at once, since the path in use does not work; null to stay.</returns>
    public KnownPath? HandleTimeout(RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now)
    {
        if (All.Count == 1)
        {
            return null;
        }

        _questions.Resume(now);
        if (SilentSince is { } since)
        {
            if (CanFallBack && now >= since + Patience(rtt, ackDelayMax))
            {
                return Standby(since) ?? _known.Best(path => path.Kind != PathKind.Direct);
            }

            if (_doubtSince is null && CanDoubt && now >= since + DoubtAfter(rtt, ackDelayMax) && now >= _mayDoubtAt)
            {
                Doubt(now);
            }
        }

        return Successor(rtt, ackDelayMax, now);
    }

    /// <summary>What has to be asked now: a PATH_CHALLENGE in a packet of its own.</summary>
    public bool TryNext(RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now, out IPEndPoint to, out ReadOnlySpan<byte> data)
    {
        KnownPath? path = _questions.TryNext(rtt, ackDelayMax, IsInDoubt, now);
        to = path?.Address ?? _where.Remote;
        data = path?.Challenge;
        return path is not null;
    }

    /// <summary>When <see cref="TryNext"/> has something.</summary>
    public TimeSpan NextQuestionAt => _questions.NextAt;

    // A path that was just taken has its own time to answer; what is unanswered longer went another way.
    private TimeSpan? SilentSince => _liveness.UnansweredSince is { } since ? Max(since, _movedAt) : null;

    // What is within this machine does not fail by its network, and its datagrams are too long for a relay.
    private bool CanDoubt => _questions.CanAsk && !IPAddress.IsLoopback(_where.Remote.Address);

    private bool CanFallBack => !_where.IsRelayed && !IPAddress.IsLoopback(_where.Remote.Address) && _known.Best(path => path.Kind != PathKind.Direct) is not null;

    private static TimeSpan Patience(RttEstimator rtt, TimeSpan ackDelayMax) => Max(3 * rtt.ProbeTimeout(ackDelayMax), SilenceMin);

    private static TimeSpan DoubtAfter(RttEstimator rtt, TimeSpan ackDelayMax) => Max(2 * rtt.ProbeTimeout(ackDelayMax), DoubtMin);

    private static TimeSpan Grace(RttEstimator rtt, TimeSpan ackDelayMax) => Max(rtt.ProbeTimeout(ackDelayMax), GraceMin);

    /// <summary>Another path answered since the doubt began, and the one in use had its time to do so.</summary>
    private KnownPath? Successor(RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now) =>
        _doubtSince is { } since && now >= since + Grace(rtt, ackDelayMax) ? Standby(since) : null;

    private KnownPath? Standby(TimeSpan since) => _known.Best(path => path.HasAnsweredSince(since));

    // By questions on both: acknowledgements come after a delay, and wait behind what is sent.
    private bool IsBetter(KnownPath path, TimeSpan now)
    {
        if (path.Kind != Active.Kind)
        {
            return path.Kind < Active.Kind && now >= path.HeldUntil;
        }

        if (!_questions.MayChoose(path) || now < path.HeldUntil || path.RoundTrip is not { } other || Active.RoundTrip is not { } inUse)
        {
            return false;
        }

        TimeSpan margin = Max(MarginMin, inUse / 10);
        return other + margin < inUse || (path.IsLocal && !Active.IsLocal && other <= inUse + margin);
    }

    private void Doubt(TimeSpan now)
    {
        if (!CanDoubt)
        {
            return;
        }

        _doubtSince = now;
        _questions.AskAll(now);
    }

    private void EndDoubt(TimeSpan now)
    {
        _doubtSince = null;

        // Where the other side goes on by another path, the one in use is asked again now and then.
        _mayDoubtAt = now + (AckTo is null ? GraceMin : TimeSpan.FromSeconds(5));
        Active.NextAt = TimeSpan.MaxValue;
        _questions.Plan();
    }

    private KnownPath Add(KnownPath path, TimeSpan now)
    {
        _known.Add(path);
        path.NextAt = now + PathQuestions.MeasureTime;
        _questions.Plan();
        return path;
    }

    private KnownPath FindOrAdd(IPEndPoint address, TimeSpan now) => _known.Find(address) ?? Add(KnownPaths.Of(address, isByPeer: false), now);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
