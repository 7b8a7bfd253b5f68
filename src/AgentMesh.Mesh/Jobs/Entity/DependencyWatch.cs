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
    private readonly QuestionTimes _times = new(time);

    public void Ask(JobSpec spec, IActorRef jobs, IActorRef asker)
    {
        foreach (JobDependency dependency in spec.After.Where(each => !IsRemoved(each)).Where(each => StateOf(each) is not { } state || each.IsMet(state) is null))
        {
            if (_times.Left(dependency.JobId) == TimeSpan.Zero)
            {
                _times.Wait(dependency.JobId, AskAgainAfter);
                jobs.Tell(new AwaitJob(dependency.JobId, time.GetUtcNow() + AwaitFor), asker);
            }
        }
    }

    /// <param name="told">A <see cref="JobView"/> or a <see cref="JobProblem"/>.</param>
    /// <param name="isFromHome">A member of the pool that has only just joined need not be known as one yet.</param>
    /// <returns>Whether it says something of a job that this one waits for.</returns>
    public bool Take(IJobMessage told, JobState waiting, bool isFromHome)
    {
        if (!isFromHome || told is JobProblem { Problem.Code: not (MeshErrors.Removed or MeshErrors.UnknownJob) })
        {
            // No answer.
            _times.AskWithin(told.JobId, PausedAgainAfter);
            return false;
        }

        if (!waiting.IsHeld || !waiting.Spec!.After.Any(dependency => dependency.JobId == told.JobId))
        {
            return false;
        }

        if (told is JobView view)
        {
            _removed.Remove(view.JobId);
            _states[view.JobId] = view.State;
            _times.Wait(view.JobId, PausedAgainAfter);
        }
        else
        {
            // It was there when this job was accepted, and is not any more: only what has ended is removed.
            _removed.Add(told.JobId);
        }

        return true;
    }

    public bool IsRemoved(JobDependency dependency) => _removed.Contains(dependency.JobId);

    public void Forget()
    {
        _removed.Clear();
        _states.Clear();
        _times.Clear();
    }

    /// <summary>As it was heard last; null before.</summary>
    public JobStateName? StateOf(JobDependency dependency) => _states.TryGetValue(dependency.JobId, out JobStateName state) ? state : null;

    /// <summary>In words, what is waited for.</summary>
    public string Describe(JobSpec spec) =>
        "waits for " + string.Join(", ", spec.After.Where(each => StateOf(each) is not { } state || each.IsMet(state) != true).Select(each => $"{each} ({StateOf(each)?.ToString().ToLowerInvariant() ?? "not over"})"));
}
