using AgentMesh.Mesh.Jobs;
using Akka.Actor;

namespace AgentMesh.Mesh.Groups.Entity;

/// <summary>Asks the jobs that have their turn when they come to rest. Nothing of it is kept: after a recovery they are asked again.</summary>
internal sealed class HolderWatch(TimeProvider time)
{
    private static readonly TimeSpan AwaitFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskAgainAfter = AwaitFor + TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Dictionary<JobId, (long Since, TimeSpan Wait)> _asked = [];

    public void Ask(IEnumerable<JobId> holders, IActorRef jobs, IActorRef asker)
    {
        foreach (JobId job in holders)
        {
            if (!_asked.TryGetValue(job, out (long Since, TimeSpan Wait) asked) || time.GetElapsedTime(asked.Since) >= asked.Wait)
            {
                _asked[job] = (time.GetTimestamp(), AskAgainAfter);
                jobs.Tell(new AwaitJob(job, time.GetUtcNow() + AwaitFor), asker);
            }
        }
    }

    /// <summary>It is not over yet.</summary>
    public void Waits(JobId job) => _asked[job] = (time.GetTimestamp(), LookAgainAfter);

    public void Forget(IEnumerable<JobId> jobs)
    {
        foreach (JobId job in jobs)
        {
            _asked.Remove(job);
        }
    }
}
