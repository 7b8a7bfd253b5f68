using AgentMesh.Protocol.Packets;

namespace Simulation.Reach.Loss;

/// <summary>How one direction of a network behaves. Immutable.</summary>
/// <param name="BitsPerSecond">0: no limit.</param>
/// <param name="QueueBytes">What waits for the link at most; later datagrams are dropped.</param>
/// <param name="Loss">Share of datagrams that are dropped before the queue.</param>
/// <param name="Burst">Datagrams in a row that a loss takes, in the mean (a Gilbert model: a good state that drops nothing and a bad one that drops all).</param>
internal sealed record LossyLinkSettings(double BitsPerSecond, int QueueBytes, double Loss, double Burst)
{
    /// <summary>
    /// The queue marks what asks for it instead of dropping it: none of what waits less than half of this, all of what waits longer than one and a half, and a share in between that
    /// grows evenly (RFC 7567; the model of RED, RFC 2309). Null: it only drops.
    /// </summary>
    public TimeSpan? MarksAt { get; init; }

    /// <summary>What a box before the queue makes of the bits of ECN; null drops the datagram.</summary>
    public Func<EcnCodepoint, EcnCodepoint?>? Box { get; init; }
}

/// <summary>One direction of a network that several flows share: losses, then a queue before a link of some rate. Delay belongs to the flow.</summary>
internal sealed class LossyLink(EventClock clock, LossyLinkSettings settings, Random random)
{
    private const int HeaderBytes = 28;

    private TimeSpan _freeAt;
    private bool _isBad;

    public long Dropped { get; private set; }

    public long Marked { get; private set; }

    public void Send(int bytes, TimeSpan delay, Action arrive) => Send(bytes, delay, EcnCodepoint.NotEct, _ => arrive());

    public void Send(int bytes, TimeSpan delay, EcnCodepoint ecn, Action<EcnCodepoint> arrive)
    {
        if (settings.Box is { } box)
        {
            if (box(ecn) is not { } after)
            {
                return;
            }

            ecn = after;
        }

        if (IsLost())
        {
            return;
        }

        TimeSpan leaves = clock.Now;
        if (settings.BitsPerSecond > 0)
        {
            TimeSpan start = _freeAt > clock.Now ? _freeAt : clock.Now;
            if ((start - clock.Now).TotalSeconds * settings.BitsPerSecond / 8 > settings.QueueBytes)
            {
                Dropped++;
                return;
            }

            if (ecn != EcnCodepoint.NotEct && IsMarked(start - clock.Now))
            {
                ecn = EcnCodepoint.Ce;
                Marked++;
            }

            leaves = _freeAt = start + TimeSpan.FromSeconds((bytes + HeaderBytes) * 8 / settings.BitsPerSecond);
        }

        clock.At(leaves + delay, () => arrive(ecn));
    }

    private bool IsMarked(TimeSpan waits) => settings.MarksAt is { } at && (waits / at) - 0.5 is > 0 and var share && random.NextDouble() < share;

    private bool IsLost()
    {
        if (settings.Loss <= 0)
        {
            return false;
        }

        // The bad state is left with 1 / Burst and entered so often that Loss is its share of the datagrams.
        double leave = 1 / settings.Burst, enter = leave * settings.Loss / (1 - settings.Loss);
        _isBad = _isBad ? random.NextDouble() >= leave : random.NextDouble() < enter;
        return _isBad;
    }
}
