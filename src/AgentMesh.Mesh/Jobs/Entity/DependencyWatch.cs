using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>What a job that waits for others asks about them. Nothing of it is kept: after a recovery they are asked again.</summary>
internal sealed class DependencyWatch(TimeProvider time)
{
    private static readonly TimeSpan AwaitFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AskAgainAfter = AwaitFor + TimeSpan.FromSeconds(10);

    /// <summary>One that is paused answers at once.</summary>
    private static readonly TimeSpan PausedAgainAfter = TimeSpan.FromSeconds(2);

    private readonly Dictionary<JobId, JobStateName> _states = [];
    private readonly HashSet<JobId> _removed = [];
    private readonly Dictionary<JobId, (long Since, TimeSpan Wait)> _asked = [];

    public void Ask(JobSpec spec, IActorRef jobs, IActorRef asker)
    {
        foreach (JobDependency dependency in spec.After.Where(each => !IsRemoved(each)).Where(each => StateOf(each) is not { } state || each.IsMet(state) is null))
        {
            if (!_asked.TryGetValue(dependency.JobId, out (long Since, TimeSpan Wait) asked) || time.GetElapsedTime(asked.Since) >= asked.Wait)
            {
                _asked[dependency.JobId] = (time.GetTimestamp(), AskAgainAfter);
                jobs.Tell(new AwaitJob(dependency.JobId, time.GetUtcNow() + AwaitFor), asker);
            }
        }
    }

    public void Heard(JobView view)
    {
        _removed.Remove(view.JobId);
        _states[view.JobId] = view.State;
        _asked[view.JobId] = (time.GetTimestamp(), PausedAgainAfter);
    }

    /// <summary>What came is no answer. The question is brought forward and never put off, however often that happens.</summary>
    public void AskSoon(JobId job)
    {
        if (_asked.TryGetValue(job, out (long Since, TimeSpan Wait) asked) && asked.Wait - time.GetElapsedTime(asked.Since) > PausedAgainAfter)
        {
            _asked[job] = (time.GetTimestamp(), PausedAgainAfter);
        }
    }

    /// <summary>It was there when this job was accepted, and is not any more: only what has ended is removed.</summary>
    public void HeardRemoved(JobId job) => _removed.Add(job);

    public bool IsRemoved(JobDependency dependency) => _removed.Contains(dependency.JobId);

    public void Forget()
    {
        _removed.Clear();
        _states.Clear();
        _asked.Clear();
    }

    /// <summary>As it was heard last; null before.</summary>
    public JobStateName? StateOf(JobDependency dependency) => _states.TryGetValue(dependency.JobId, out JobStateName state) ? state : null;

    /// <summary>In words, what is waited for.</summary>
    public string Describe(JobSpec spec) =>
        "waits for " + string.Join(", ", spec.After.Where(each => StateOf(each) is not { } state || each.IsMet(state) != true).Select(each => $"{each} ({StateOf(each)?.ToString().ToLowerInvariant() ?? "not over"})"));
}
