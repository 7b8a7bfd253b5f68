using AgentMesh.Journal;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;

namespace AgentMesh.Node.Pools;

/// <summary>
/// Which of the open entities of a pool this member brings back: those that rest in shards it hosts. Of a shard that nobody owns it asks for one, so that the
/// cluster finds a host; whoever that is finds the others. What another member owns is that one's to bring back.
/// </summary>
/// <param name="home">As it stands in ids.</param>
/// <param name="heldByOthers">As the database has it.</param>
internal sealed class PoolRevival(string home, IEntityIndex index, Func<CancellationToken, Task<IReadOnlySet<LeaseKey>>> heldByOthers)
{
    /// <param name="kind">As ids begin with it.</param>
    /// <param name="isOne">Whether an id is one of this kind.</param>
    public FindEntities Of(string kind, IActorRef region, IReadOnlySet<string> closedBy, Func<string, bool> isOne) => async (limit, cancel) =>
    {
        IReadOnlySet<LeaseKey> elsewhere = await heldByOthers(cancel).ConfigureAwait(false);
        RegionView here = await RegionView.AskAsync(region, cancel).ConfigureAwait(false);
        HashSet<LeaseKey> hosted = [.. here.Shards.Select(shard => new LeaseKey(home, $"{kind}/{shard}"))];
        Dictionary<LeaseKey, string> begun = [];
        return [.. (await index.OpenAsync($"{kind}/{home}/", closedBy, limit, cancel, IsDue).ConfigureAwait(false)).Select(entity => entity.PersistenceId)];

        bool IsDue(string id)
        {
            var shard = LeaseKey.Of(id);
            return hosted.Contains(shard) ? !here.Awake.Contains(id) : !elsewhere.Contains(shard) && isOne(id) && (begun.TryAdd(shard, id) || begun[shard] == id);
        }
    };
}
