namespace AgentMesh.Protocol.Gateways;

/// <summary>When a request is sent again that has no answer yet. Immutable.</summary>
/// <param name="First">Wait after the first transmission; it doubles.</param>
/// <param name="Longest">No wait is longer.</param>
/// <param name="Transmissions">In all; afterwards the last wait runs out and the request has failed.</param>
public sealed record RetransmissionSchedule(TimeSpan First, TimeSpan Longest, int Transmissions)
{
    /// <summary>RFC 6886, section 3.1: 250 ms doubling; nine transmissions there, fewer here, because other protocols are asked at the same time.</summary>
    public static RetransmissionSchedule NatPmp { get; } = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(64), 6);

    /// <summary>RFC 6887, section 8.1.1: IRT 3 s, MRT 1024 s. It begins sooner here: a gateway is one link away.</summary>
    public static RetransmissionSchedule Pcp { get; } = new(TimeSpan.FromMilliseconds(750), TimeSpan.FromSeconds(1024), 5);

    /// <summary>RFC 8489, section 6.2.1: RTO 500 ms, Rc 7, Rm 16.</summary>
    public static RetransmissionSchedule Stun { get; } = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(64), 7) { Last = TimeSpan.FromMilliseconds(16 * 500) };

    /// <summary>The wait after the last transmission; null where the doubling goes on.</summary>
    public TimeSpan? Last { get; init; }

    /// <param name="sent">How often it was sent, at least 1.</param>
    public TimeSpan WaitAfter(int sent)
    {
        if (sent == Transmissions && Last is { } last)
        {
            return last;
        }

        double factor = Math.Pow(2, Math.Min(sent, 30) - 1);
        return First.TotalSeconds * factor < Longest.TotalSeconds ? First * factor : Longest;
    }
}
