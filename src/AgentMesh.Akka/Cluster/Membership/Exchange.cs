namespace Akka.Cluster.Membership;

/// <summary>What a member makes of the gossip of another one.</summary>
/// <param name="IsNews">The other knew something that this one did not.</param>
/// <param name="TalkBack">This one knows something now that the other does not, were it only that this one has seen it.</param>
internal readonly record struct Exchange(Gossip Next, bool IsNews, bool TalkBack)
{
    public static Exchange Of(Gossip local, Gossip remote, UniqueAddress self) => local.Version.CompareTo(remote.Version) switch
    {
        Ordering.Same when remote.SeenBy.IsSubsetOf(local.SeenBy) && local.SeenBy.Contains(self) => new(local, false, !remote.SeenBy.Contains(self)),
        Ordering.Same => new(local with { SeenBy = local.SeenBy.Union(remote.SeenBy).Add(self) }, false, !remote.SeenBy.Contains(self)),
        Ordering.Before => new(remote.SeenAlsoBy(self), true, true),
        Ordering.After => new(local, false, true),
        _ => new(local.Merge(remote).SeenAlsoBy(self), true, true),
    };
}
