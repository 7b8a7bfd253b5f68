using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Node.Control;
using AgentMesh.Node.Hosting;

namespace AgentMesh.Node.Pools;

/// <summary>The pool of this device, for those who show it.</summary>
internal static class PoolViews
{
    private static readonly TimeSpan DatabaseAnswersWithin = TimeSpan.FromSeconds(2);

    public static async Task<PoolView> OfAsync(PoolHost pool, Generation? generation, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<LeaseKey, long> held = pool.SessionOf(generation?.System)?.Holdings ?? new Dictionary<LeaseKey, long>();
        MeshException? problem = pool.ProblemOf(generation);
        IReadOnlyList<PoolMember> members = [];
        if (problem is null)
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            late.CancelAfter(DatabaseAnswersWithin);
            try
            {
                members = await pool.Pool.MembersAsync(late.Token).ConfigureAwait(false);
            }
            catch (MeshException error)
            {
                problem = error;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                problem = new MeshException(JournalErrors.DatabaseUnreachable, $"{pool.Pool.Place} did not answer in time", "check the database and the way to it");
            }
        }

        return new PoolView(
            pool.Name,
            pool.Pool.Place,
            held.Count,
            held.Values.DefaultIfEmpty().Max(),
            [.. members.Select(member => new PoolMemberView(member.Device, member.Name, member.LeaseLeft.TotalMilliseconds, member.Shards, member.EpochMax, member.StartedAt))],
            problem is null ? null : new ProblemView(problem.Code, problem.Message, problem.NextStep));
    }
}
