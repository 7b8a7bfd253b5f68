using AgentMesh.Node.Control;
using Soak.Planning;
using Soak.Running;

namespace Soak.Checks;

/// <summary>A job whose id was returned to somebody, with all that is known of it from outside.</summary>
/// <param name="Home">Index of the node that accepted it.</param>
internal sealed record KnownJob(string Id, int Home, WorkItem Item, TimeSpan BeganAt, IReadOnlyList<JobView> Told, bool CancelTried, bool CancelTaken)
{
    public static IReadOnlyList<KnownJob> Of(History history)
    {
        ILookup<string, Cancellation> cancelled = history.Cancellations.ToLookup(cancel => cancel.Job, StringComparer.Ordinal);
        return
        [
            .. from submission in history.Submissions
               from id in submission.Accepted.Concat(submission.Ended).Select(job => job.Id).Distinct(StringComparer.Ordinal)
               group submission by id into same
               let first = same.MinBy(submission => submission.BeganAt)!
               select new KnownJob(
                   same.Key,
                   first.Item.Home,
                   first.Item,
                   first.BeganAt,
                   [.. same.SelectMany(submission => submission.Ended).Where(job => job.Id == same.Key)],
                   same.Any(submission => submission.Item.CancelAfter is not null),
                   cancelled[same.Key].Any(cancel => cancel.Refused is null)),
        ];
    }
}
