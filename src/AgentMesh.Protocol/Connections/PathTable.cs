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
/// <param name="chooses">One of both sides chooses between direct paths; two would draw each other to and fro.</param>
internal sealed class PathTable(Whereabouts where, Liveness liveness, IEntropy? entropy, bool chooses)
{
    public const int PathsMax = 8;
    public const int WinsMin = 3;

    private const int RelaysMax = 3;

    private static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan DoubtMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GraceMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AskAgainMax = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RefreshTime = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan UseTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MeasureTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MarginMin = TimeSpan.FromMilliseconds(5);

    private readonly List<KnownPath> _paths = [Of(where.Remote, isByPeer: false)];
    private TimeSpan _nextAt = TimeSpan.MaxValue;
    private TimeSpan? _doubtSince;
    private TimeSpan _mayDoubtAt;
    private TimeSpan _movedAt = TimeSpan.MinValue;
    private bool _isResting;
    private KnownPath? _answered;
    private IPEndPoint? _heardFrom;
    private IReadOnlyList<RelayWay> _relays = where.IsRelayed ? [new RelayWay(where.Remote, IsByPeer: false)] : [];

    /// <summary>The one in use first, then in the order in which they became known.</summary>
    public IReadOnlyList<KnownPath> All => _paths;

    public KnownPath Active => _paths[0];

    /// <summary>The path in use is not sure to work.</summary>
    public bool IsInDoubt => _doubtSince is not null;

    /// <summary>Acknowledgements go where the other side's newest packets came from, since that way works; null: where the rest goes.</summary>
    public IPEndPoint? AckTo { get; private set; }

    /// <summary>Questions put since the start.</summary>
    public long Questions { get; private set; }

    /// <summary>The relays that there are now.</summary>
    /// <returns>Where to go at once; null to stay.</returns>
    public KnownPath? SetRelays(IReadOnlyList<RelayWay> relays, TimeSpan now)
    {
        _relays = relays = [.. relays.Take(RelaysMax)];
        for (int i = _paths.Count - 1; i > 0; i--)
        {
            if (IsGone(_paths[i]))
            {
                _paths.RemoveAt(i);
            }
        }

        foreach (RelayWay relay in relays.Where(relay => Find(relay.Address) is null))
        {
            Add(Of(relay.Address, relay.IsByPeer), now);
        }

        KnownPath? relayed = relays.Count > 0 ? Find(relays.MinBy(relay => (relay.IsByPeer ? 0 : 1, relay.Address.Equals(where.Remote) ? 0 : 1)).Address) : null;
        if (!where.IsRelayed)
        {
            // One that had fallen silent was only taken for want of a relay.
            return Active.IsFailed ? relayed : null;
        }

        KnownPath? wanted = relayed ?? _paths.Skip(1).Where(path => path.Kind == PathKind.Direct).MaxBy(path => path.LeftAt);
        return wanted is null || ReferenceEquals(wanted, Active) ? null : wanted;
    }

    /// <summary>The other side has proven to be reached here too, or was seen to be, by something short.</summary>
    /// <returns>Null where that is not enough: the path was left because it fell silent, and may swallow what is longer. It is asked whether it does, and taken when it answers.</returns>
    public KnownPath? Proven(IPEndPoint address, TimeSpan now)
    {
        KnownPath path = Find(address) ?? Add(Of(address, isByPeer: false), now);
        if (path.IsFailed && !ReferenceEquals(path, Active))
        {
            path.Release(now);
            Ask(path, now);
            return null;
        }

        path.Works(now);
        Ask(path, now);
        return path;
    }

    /// <summary>Packets go to <see cref="Whereabouts.Remote"/> from now on.</summary>
    /// <param name="failed">The one before is left because it fell silent.</param>
    public void Moved(bool failed, TimeSpan now)
    {
        KnownPath before = Active, active = Find(where.Remote) ?? Add(Of(where.Remote, isByPeer: false), now);
        _paths.Remove(active);
        _paths.Insert(0, active);
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
        _isResting = false;

        // The same host at another port: its NAT has forgotten the one before.
        if (IsGone(before) || (before.Kind == PathKind.Direct && active.Kind == PathKind.Direct && before.Address.Address.Equals(active.Address.Address)))
        {
            _paths.Remove(before);
        }

        _paths.ForEach(path => path.NextAt = ReferenceEquals(path, active) ? TimeSpan.MaxValue : now + (path.IsFailed ? MeasureTime : RefreshTime));
        Plan();
    }

    /// <summary>A newer packet that says more than a question came from an address; from elsewhere than the one in use it is a reason to doubt that one.</summary>
    public void Heard(IPEndPoint from, TimeSpan now)
    {
        if (ReferenceEquals(from, _heardFrom) && AckTo is null)
        {
            return;
        }

        _heardFrom = from;
        if (from.Equals(where.Remote))
        {
            AckTo = null;
            return;
        }

        if (Find(from) is { } known && (known.HasAnswered || known.Kind != PathKind.Direct))
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
        foreach (KnownPath path in _paths)
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
            if (where.HasAsked(path.Address))
            {
                return path; // the other side has gone there
            }

            path.NextAt = now + RefreshTime;
            if (_doubtSince is null && IsBetter(path, now))
            {
                if (path.Kind < Active.Kind || ++path.Wins >= WinsMin)
                {
                    return path;
                }

                path.NextAt = now + MeasureTime;
            }
            else
            {
                path.NextAt = path.Kind < Active.Kind && path.HeldUntil > now ? path.HeldUntil
                    : MayChoose(path) && Active.RoundTrip is null ? now + MeasureTime // there is nothing to compare it with yet
                    : path.NextAt;
                path.Wins = 0;
            }
        }

        Plan();
        return Successor(rtt, ackDelayMax, now);
    }

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public TimeSpan NextTimeout(RttEstimator rtt, TimeSpan ackDelayMax)
    {
        TimeSpan next = TimeSpan.MaxValue;
        if (_paths.Count == 1)
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
        if (_paths.Count == 1)
        {
            return null;
        }

        if (_isResting && now - liveness.ActiveAt < UseTime)
        {
            _isResting = false;
            _paths.ForEach(path => path.NextAt = ReferenceEquals(path, Active) ? TimeSpan.MaxValue : now);
            Plan();
        }

        if (SilentSince is { } since)
        {
            if (CanFallBack && now >= since + Patience(rtt, ackDelayMax))
            {
                return Standby(since) ?? Best(path => path.Kind != PathKind.Direct);
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
        if (now >= _nextAt)
        {
            foreach (KnownPath path in _paths)
            {
                if (path.NextAt <= now && MayAsk(path, now))
                {
                    if (!path.IsAsked)
                    {
                        entropy!.Fill(path.Challenge);
                    }

                    path.Asked(now);
                    Questions++;
                    path.NextAt = NextQuestion(path, rtt, ackDelayMax, now);
                    Active.NextAt = MayChoose(path) && _doubtSince is null ? now : Active.NextAt;
                    Plan();
                    to = path.Address;
                    data = path.Challenge;
                    return true;
                }
            }

            Plan();
        }

        to = where.Remote;
        data = default;
        return false;
    }

    /// <summary>When <see cref="TryNext"/> has something.</summary>
    public TimeSpan NextQuestionAt => _nextAt;

    // A path that was just taken has its own time to answer; what is unanswered longer went another way.
    private TimeSpan? SilentSince => liveness.UnansweredSince is { } since ? Max(since, _movedAt) : null;

    // What is within this machine does not fail by its network, and its datagrams are too long for a relay.
    private bool CanDoubt => entropy is not null && !IPAddress.IsLoopback(where.Remote.Address);

    private bool CanFallBack => !where.IsRelayed && !IPAddress.IsLoopback(where.Remote.Address) && _paths.Exists(path => path.Kind != PathKind.Direct);

    private static KnownPath Of(IPEndPoint address, bool isByPeer) =>
        new(address, !RelayAddress.IsRelay(address) ? PathKind.Direct : isByPeer ? PathKind.PeerRelay : PathKind.Relay);

    private static TimeSpan Patience(RttEstimator rtt, TimeSpan ackDelayMax) => Max(3 * rtt.ProbeTimeout(ackDelayMax), SilenceMin);

    private static TimeSpan DoubtAfter(RttEstimator rtt, TimeSpan ackDelayMax) => Max(2 * rtt.ProbeTimeout(ackDelayMax), DoubtMin);

    private static TimeSpan Grace(RttEstimator rtt, TimeSpan ackDelayMax) => Max(rtt.ProbeTimeout(ackDelayMax), GraceMin);

    /// <summary>Another path answered since the doubt began, and the one in use had its time to do so.</summary>
    private KnownPath? Successor(RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now) =>
        _doubtSince is { } since && now >= since + Grace(rtt, ackDelayMax) ? Standby(since) : null;

    private KnownPath? Standby(TimeSpan since) => Best(path => path.HasAnsweredSince(since));

    private KnownPath? Best(Predicate<KnownPath> isUsable)
    {
        KnownPath? best = null;
        for (int i = 1; i < _paths.Count; i++)
        {
            KnownPath path = _paths[i];
            if (isUsable(path) && (best is null || path.Kind < best.Kind || (path.Kind == best.Kind && path.RoundTrip < best.RoundTrip)))
            {
                best = path;
            }
        }

        return best;
    }

    // By questions on both: acknowledgements come after a delay, and wait behind what is sent.
    private bool IsBetter(KnownPath path, TimeSpan now)
    {
        if (path.Kind != Active.Kind)
        {
            return path.Kind < Active.Kind && now >= path.HeldUntil;
        }

        if (!MayChoose(path) || now < path.HeldUntil || path.RoundTrip is not { } other || Active.RoundTrip is not { } inUse)
        {
            return false;
        }

        TimeSpan margin = Max(MarginMin, inUse / 10);
        return other + margin < inUse || (path.IsLocal && !Active.IsLocal && other <= inUse + margin);
    }

    private bool MayChoose(KnownPath path) => chooses && path.Kind == PathKind.Direct && Active.Kind == PathKind.Direct && !ReferenceEquals(path, Active);

    private void Doubt(TimeSpan now)
    {
        if (!CanDoubt)
        {
            return;
        }

        _doubtSince = now;
        foreach (KnownPath path in _paths)
        {
            path.AskMore();
            path.NextAt = now;
        }

        Plan();
    }

    private void EndDoubt(TimeSpan now)
    {
        _doubtSince = null;

        // Where the other side goes on by another path, the one in use is asked again now and then.
        _mayDoubtAt = now + (AckTo is null ? GraceMin : TimeSpan.FromSeconds(5));
        Active.NextAt = TimeSpan.MaxValue;
        Plan();
    }

    private bool MayAsk(KnownPath path, TimeSpan now)
    {
        bool isIdle = _doubtSince is null && now - liveness.ActiveAt >= UseTime;
        if (entropy is null || isIdle || path.Unanswered >= KnownPath.QuestionsMax)
        {
            _isResting |= isIdle;
            path.NextAt = TimeSpan.MaxValue;
            return false;
        }

        return true;
    }

    private TimeSpan NextQuestion(KnownPath path, RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now)
    {
        TimeSpan soon = Min(Max(rtt.ProbeTimeout(ackDelayMax), GraceMin / 2), AskAgainMax);
        return now + (_doubtSince is not null ? soon : path.IsFailed || path.Unanswered > 2 ? MeasureTime * (1 << Math.Min(path.Unanswered, 6)) : Max(soon, AskAgainMax));
    }

    private void Ask(KnownPath path, TimeSpan now)
    {
        if (!ReferenceEquals(path, Active))
        {
            path.NextAt = now;
            Plan();
        }
    }

    private KnownPath Add(KnownPath path, TimeSpan now)
    {
        if (_paths.Count >= PathsMax)
        {
            _paths.Remove(_paths.Skip(1).OrderBy(each => each.Kind == PathKind.Direct ? 0 : 1).ThenBy(each => each.IsFailed ? 0 : 1).ThenByDescending(each => each.RoundTrip ?? TimeSpan.MaxValue).First());
        }

        _paths.Add(path);
        path.NextAt = now + MeasureTime;
        Plan();
        return path;
    }

    private bool IsGone(KnownPath path)
    {
        if (path.Kind == PathKind.Direct)
        {
            return false;
        }

        foreach (RelayWay relay in _relays)
        {
            if (relay.Address.Equals(path.Address))
            {
                return false;
            }
        }

        return true;
    }

    private KnownPath? Find(IPEndPoint address)
    {
        foreach (KnownPath path in _paths)
        {
            if (path.Address.Equals(address))
            {
                return path;
            }
        }

        return null;
    }

    private void Plan()
    {
        _nextAt = TimeSpan.MaxValue;
        if (entropy is null)
        {
            return;
        }

        foreach (KnownPath path in _paths)
        {
            _nextAt = Min(_nextAt, path.NextAt);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
