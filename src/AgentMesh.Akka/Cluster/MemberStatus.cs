namespace Akka.Cluster;

/// <summary>The life of a member: Joining, (WeaklyUp,) Up, Leaving, Exiting, Removed; from anywhere to Down, and from Down to Removed.</summary>
public enum MemberStatus
{
    Joining = 0,
    Up = 1,
    Leaving = 2,
    Exiting = 3,
    Down = 4,
    Removed = 5,

    /// <summary>In, although not all members agree, because some cannot be reached. Becomes Up when they do.</summary>
    WeaklyUp = 6,
}
