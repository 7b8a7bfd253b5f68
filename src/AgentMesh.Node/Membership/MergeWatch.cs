using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Membership;

/// <summary>
/// Acts on <see cref="MergeDecision"/> only when it stays the same for a while: while a device is joining, views of the two sides differ for a
/// moment without being a split.
/// </summary>
internal sealed class MergeWatch(TimeSpan steadyFor, TimeProvider time)
{
    private readonly Lock _gate = new();
    private IReadOnlyList<DeviceId> _candidate = [];
    private long _since;

    /// <returns>The members to join now; empty while there is nothing to do or it is too early.</returns>
    public IReadOnlyList<DeviceId> Decide(ClusterView? own, IReadOnlyCollection<ClusterView> others)
    {
        IReadOnlyList<DeviceId> wanted = own is null ? [] : MergeDecision.JoinInstead(own, others);
        lock (_gate)
        {
            if (!wanted.SequenceEqual(_candidate))
            {
                _candidate = wanted;
                _since = time.GetTimestamp();
            }

            return wanted.Count > 0 && time.GetElapsedTime(_since) >= steadyFor ? wanted : [];
        }
    }

    public void Reset()
    {
        lock (_gate)
        {
            _candidate = [];
        }
    }
}
