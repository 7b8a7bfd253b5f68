namespace AgentMesh.Protocol.Recovery;

/// <summary>The part of one connection in a limit for all of them.</summary>
internal abstract class FairShare
{
    internal double Tokens { get; set; }

    internal TimeSpan FilledAt { get; set; }
}

/// <summary>Who waits for a limit at the same time gets an equal share of it. Not thread-safe.</summary>
internal sealed class FairShares
{
    /// <summary>Nobody waits longer before it asks again: others may have gone.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMilliseconds(125);

    // Who waited in this time takes part.
    private static readonly TimeSpan SharingTime = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<FairShare, TimeSpan> _waiting = [];

    /// <summary>Gives one its part of what has come in since it asked last.</summary>
    /// <param name="bytesPerSecond">Of all.</param>
    /// <param name="capacity">Bytes of all that are kept.</param>
    /// <param name="longest">What came in before counts no more.</param>
    /// <returns>How many share, this one included.</returns>
    public int Fill(FairShare share, double bytesPerSecond, double capacity, TimeSpan longest, TimeSpan now)
    {
        int sharing = _waiting.Count + (_waiting.ContainsKey(share) ? 0 : 1);
        double filled = bytesPerSecond / sharing * Math.Clamp((now - share.FilledAt).TotalSeconds, 0, longest.TotalSeconds);
        share.Tokens = Math.Min(capacity / sharing, share.Tokens + filled);
        share.FilledAt = now;
        return sharing;
    }

    /// <summary>It did not get all that it wants.</summary>
    public void Wait(FairShare share, TimeSpan now)
    {
        _waiting[share] = now;
        foreach ((FairShare other, TimeSpan at) in _waiting)
        {
            if (now - at > SharingTime)
            {
                _waiting.Remove(other);
            }
        }
    }

    public void Leave(FairShare share) => _waiting.Remove(share);

    public void Clear() => _waiting.Clear();
}
