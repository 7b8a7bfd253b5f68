using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Membership;

/// <summary>
/// Which side of two clusters starts over and joins the other, when a link shows that there are two. Both sides compute it from the same
/// views and come to the same answer: the cluster with more members stays; between equals the one that holds the smallest device id.
/// </summary>
/// <remarks>
/// A device that was stopped and continued still believes in its old cluster while the others took it out. So a side counts only the members
/// whose own view agrees that they are together; a member whose view is not known is believed. Where not all devices speak with each other, one that is believed by both sides
/// says nothing about them: only one whose own view is known can show that news is still on its way.
/// </remarks>
public static class MergeDecision
{
    /// <returns>The members to join, nearest to the deciding view first, where this device has to start over; else empty.</returns>
    public static IReadOnlyList<DeviceId> JoinInstead(ClusterView own, IReadOnlyCollection<ClusterView> others)
    {
        if (!own.HasJoined)
        {
            return [];
        }

        var views = others.Append(own).ToDictionary(view => view.Self.Device);
        SortedSet<DeviceId> mine = Together(own, views);
        SortedSet<DeviceId>? best = null;
        foreach (ClusterView other in others)
        {
            if (!other.HasJoined || mine.Contains(other.Self.Device))
            {
                continue;
            }

            SortedSet<DeviceId> theirs = Together(other, views);

            // A device that agrees with both sides: news is still on its way, there is no split.
            bool isOneCluster = theirs.Any(device => mine.Contains(device) && views.ContainsKey(device));
            if (!isOneCluster && Stays(theirs, best ?? mine))
            {
                best = theirs;
            }
        }

        return best is null ? [] : [.. best];
    }

    private static SortedSet<DeviceId> Together(ClusterView view, Dictionary<DeviceId, ClusterView> views)
    {
        var agreed = new SortedSet<DeviceId> { view.Self.Device };
        foreach (ViewMember member in view.Members)
        {
            bool denied = views.TryGetValue(member.Device, out ClusterView? theirs) &&
                (theirs.Self.Incarnation != member.Incarnation || !theirs.Members.Contains(view.Self));
            if (!denied)
            {
                agreed.Add(member.Device);
            }
        }

        return agreed;
    }

    private static bool Stays(SortedSet<DeviceId> left, SortedSet<DeviceId> right) =>
        left.Count != right.Count ? left.Count > right.Count : left.Min.CompareTo(right.Min) < 0;
}
