using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using Akka.Actor;

namespace AgentMesh.Mesh.Groups.Entity;

/// <summary>
/// Asks the jobs that have their turn when they come to rest. Nothing of it is kept: after a recovery they are asked again. In a pool a job may move to another member while it is waited for, which nobody
/// tells: few holders are asked often, and many more rarely, so that it is never more than a hundred questions in a second.
/// </summary>
internal sealed class HolderWatch(TimeProvider time)
{
    private static readonly TimeSpan AwaitMin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AwaitMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AwaitPerHolder = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly QuestionTimes _times = new(time);

    public void Ask(IReadOnlyCollection<JobId> holders, IActorRef jobs, IActorRef asker)
    {
        TimeSpan patience = TimeSpan.FromTicks(Math.Clamp(holders.Count * AwaitPerHolder.Ticks, AwaitMin.Ticks, AwaitMax.Ticks));
        foreach (JobId job in holders.Where(job => _times.Left(job) == TimeSpan.Zero))
        {
            _times.Wait(job, patience + Grace);
            jobs.Tell(new AwaitJob(job, time.GetUtcNow() + patience), asker);
        }
    }

    /// <summary>It is not over yet.</summary>
    public void Waits(JobId job) => _times.Wait(job, LookAgainAfter);

    /// <summary>What came is no answer.</summary>
    public void AskSoon(JobId job) => _times.AskWithin(job, LookAgainAfter);

    public void Forget(IEnumerable<JobId> jobs)
    {
        foreach (JobId job in jobs)
        {
            _times.Forget(job);
        }
    }
}
