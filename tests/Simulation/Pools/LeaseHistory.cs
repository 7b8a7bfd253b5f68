using AgentMesh.Journal;
using Simulation.Engine;

namespace Simulation.Pools;

/// <summary>
/// Who took which shard with which epoch, and who wrote under which: kept where everything comes together, and judged without asking the database that refuses.
/// </summary>
internal sealed class LeaseHistory(SimLoop loop)
{
    private readonly Dictionary<LeaseKey, List<string>> _owners = [];
    private readonly Dictionary<string, (long Sequence, long Epoch)> _last = new(StringComparer.Ordinal);

    public void Taken(LeaseKey key, long epoch, string member)
    {
        if (!_owners.TryGetValue(key, out List<string>? owners))
        {
            _owners.Add(key, owners = []);
        }

        owners.Add(member);
        loop.Note($"{key} is taken with epoch {epoch}");
        loop.Require(owners.Count == epoch, () => $"{key} is taken with epoch {epoch}, and it is the {owners.Count}th time");
    }

    /// <summary>Who took the shard with this epoch; null for nobody.</summary>
    public string? OwnerOf(LeaseKey key, long epoch) => _owners.TryGetValue(key, out List<string>? owners) && epoch >= 1 && epoch <= owners.Count ? owners[(int)epoch - 1] : null;

    /// <summary>A write is committed.</summary>
    /// <param name="members">Those that the process has been which wrote: what was under way when it lost a lease may still come, if nobody has taken the shard.</param>
    public void Written(PoolStatement statement, IReadOnlySet<string> members)
    {
        long newest = _owners.GetValueOrDefault(statement.Key)?.Count ?? 0;
        loop.Require(statement.Epoch == newest, () => $"{statement.Id} is written under epoch {statement.Epoch} of {statement.Key}, which was taken with epoch {newest} since");
        loop.Require(
            OwnerOf(statement.Key, statement.Epoch) is { } owner && members.Contains(owner),
            () => $"{statement.Id} is written by {string.Join(" and ", members)} under epoch {statement.Epoch} of {statement.Key}, which {OwnerOf(statement.Key, statement.Epoch)} took");
        if (statement.Function != "append")
        {
            return;
        }

        (long sequence, long epoch) = _last.GetValueOrDefault(statement.Id);
        loop.Require(
            statement.At<long>(5) == sequence && statement.Epoch >= epoch,
            () => $"{statement.Id} stands at {sequence}, written under epoch {epoch}, and {statement.At<long>(6)} is written behind {statement.At<long>(5)} under epoch {statement.Epoch}");
        _last[statement.Id] = (statement.At<long>(6), statement.Epoch);
        loop.Note($"{statement.Id} {statement.At<long>(6)} epoch {statement.Epoch}");
    }
}
