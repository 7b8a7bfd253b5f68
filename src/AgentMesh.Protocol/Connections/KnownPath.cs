using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>What carries a path; the smaller, the more wanted.</summary>
internal enum PathKind : byte
{
    Direct = 0,

    /// <summary>A device of the mesh passes packets on.</summary>
    PeerRelay = 1,

    /// <summary>A beacon does, or the path leads through a tunnel.</summary>
    Relay = 2,
}

internal enum PathState : byte
{
    /// <summary>Nothing has answered there yet.</summary>
    Unproven = 0,

    /// <summary>The other side answered there, but not lately.</summary>
    Validated = 1,

    /// <summary>It answered within the last minute: may be taken at once.</summary>
    Warm = 2,

    /// <summary>It was left because it fell silent.</summary>
    Failed = 3,
}

/// <summary>A relay that the other side can be reached by.</summary>
internal readonly record struct RelayWay(IPEndPoint Address, bool IsByPeer);

/// <summary>What packets learn of the path that they take. Kept while another path is in use.</summary>
internal sealed record PathTraffic(RttEstimator Rtt, ICongestionController Congestion, ReorderingWindow Reordering, MtuSearch Mtu, EcnPath Ecn);

/// <summary>One way to the other side, and what is known of it.</summary>
internal sealed class KnownPath(IPEndPoint address, PathKind kind)
{
    /// <summary>Questions in a row without an answer; then the path is not asked any more until there is a new reason.</summary>
    public const int QuestionsMax = 9;

    public static readonly TimeSpan WarmTime = TimeSpan.FromSeconds(60);

    private bool _isMeasuring;
    private TimeSpan? _answeredAt;

    public IPEndPoint Address => address;

    public PathKind Kind => kind;

    /// <summary>The address is one of a network of its own, such as that of a home.</summary>
    public bool IsLocal { get; } = kind == PathKind.Direct && IsPrivate(SpareAddress.Plain(address).Address);

    public byte[] Challenge { get; } = new byte[PathFrame.DataBytes];

    /// <summary>Null until packets have taken it.</summary>
    public PathTraffic? Traffic { get; set; }

    /// <summary>Of the questions put here; packets in use measure better (<see cref="Traffic"/>). Null before the first answer.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    public TimeSpan AskedAt { get; private set; }

    public TimeSpan LeftAt { get; set; }

    /// <summary>When packets began to take it, the last time; null before.</summary>
    public TimeSpan? TakenAt { get; set; }

    /// <summary>When it was last known to work; null before the first time.</summary>
    public TimeSpan? AnsweredAt => _answeredAt;

    /// <summary>Questions since the last answer.</summary>
    public int Unanswered { get; private set; }

    /// <summary>When the next question is due.</summary>
    public TimeSpan NextAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>It leads over another socket of this device, and is taken when it answers; since then.</summary>
    public TimeSpan? SpareSince { get; init; }

    /// <summary>How often in a row it was measured to be better than the one in use.</summary>
    public int Wins { get; set; }

    public bool IsFailed { get; private set; }

    /// <summary>How often it fell silent.</summary>
    public int Failures { get; private set; }

    /// <summary>Not to be taken again before, since it fell silent.</summary>
    public TimeSpan HeldUntil { get; private set; }

    public bool HasAnswered => _answeredAt is not null;

    public bool HasAnsweredSince(TimeSpan at) => _answeredAt is { } answered && answered >= at;

    public PathState State(TimeSpan now) =>
        IsFailed ? PathState.Failed
        : _answeredAt is not { } at ? PathState.Unproven
        : now - at <= WarmTime ? PathState.Warm : PathState.Validated;

    /// <summary>What is asked, until it is answered: the answer may take longer than the next question.</summary>
    public bool IsAsked { get; private set; }

    public void Asked(TimeSpan now)
    {
        // What of several was answered cannot be told.
        _isMeasuring = !IsAsked || RoundTrip is null;
        AskedAt = IsAsked ? AskedAt : now;
        IsAsked = true;
        Unanswered++;
    }

    /// <summary>There is a new reason to ask: some questions more.</summary>
    public void AskMore() => Unanswered = Math.Min(Unanswered, QuestionsMax - 4);

    /// <summary>The question was answered from here, or packets that went here were acknowledged.</summary>
    public void Answered(TimeSpan now)
    {
        if (_isMeasuring)
        {
            TimeSpan sample = now - AskedAt;
            RoundTrip = RoundTrip is { } before ? ((3 * before) + sample) / 4 : sample;
        }

        _isMeasuring = false;
        IsAsked = false;
        Works(now);
    }

    /// <summary>It was seen to work by other means than a question of its own.</summary>
    public void Works(TimeSpan now)
    {
        _answeredAt = now;
        Unanswered = 0;
        IsFailed = false;
    }

    /// <summary>It may be taken again as soon as it answers.</summary>
    public void Release(TimeSpan now)
    {
        HeldUntil = now;
        AskMore();
    }

    public void Failed(TimeSpan now)
    {
        IsFailed = true;
        Failures++;
        HeldUntil = now + TimeSpan.FromSeconds(Math.Min(60, 1 << Math.Min(Failures, 6)));
        Wins = 0;
    }

    private static bool IsPrivate(IPAddress at)
    {
        if (at.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return at.IsIPv6UniqueLocal || at.IsIPv6LinkLocal;
        }

        Span<byte> bytes = stackalloc byte[4];
        at.TryWriteBytes(bytes, out _);
        return bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254);
    }
}
