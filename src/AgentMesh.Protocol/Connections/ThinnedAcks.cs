namespace AgentMesh.Protocol.Connections;

/// <summary>
/// What the sender of many packets asked of who acknowledges them: to wait by time, instead of counting packets. It holds for <see cref="ValidFor"/> and has to be asked again; whatever
/// looks like trouble ends it at once.
/// </summary>
internal struct ThinnedAcks
{
    /// <summary>So many packets are acknowledged in any case: the other side walks over all of them at one time.</summary>
    public const int Every = 256;

    /// <summary>Nobody is kept waiting longer, whatever was asked.</summary>
    public static readonly TimeSpan DelayMax = TimeSpan.FromMilliseconds(25);

    /// <summary>Timers cannot do better.</summary>
    public static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(1);

    public static readonly TimeSpan ValidFor = TimeSpan.FromSeconds(1);

    private TimeSpan _until;

    /// <summary>How long packets may wait while this is in force.</summary>
    public TimeSpan Delay { get; private set; }

    public readonly bool IsInForce(TimeSpan now) => Delay > TimeSpan.Zero && now < _until;

    /// <param name="delay">Zero: not at all any more.</param>
    public void Asked(TimeSpan delay, TimeSpan now)
    {
        Delay = delay <= TimeSpan.Zero ? TimeSpan.Zero : delay < DelayMin ? DelayMin : delay > DelayMax ? DelayMax : delay;
        _until = now + ValidFor;
    }

    public void Drop() => Delay = TimeSpan.Zero;
}
