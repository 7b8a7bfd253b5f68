using AgentMesh.Mesh.Groups;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>How a job asks its group for its turn. Nothing of it is kept: after a recovery it asks again, and has it still where it had it.</summary>
internal sealed class JobTurn(TimeProvider time)
{
    private static readonly TimeSpan AskAgainMin = TimeSpan.FromSeconds(2);

    /// <summary>Well within the time after which a group forgets who is silent.</summary>
    private static readonly TimeSpan AskAgainMax = TimeSpan.FromSeconds(15);

    private long _askedAt;
    private TimeSpan? _wait;

    /// <summary>In words, why not yet, as the group said last.</summary>
    public string? Why { get; private set; }

    /// <summary>Where it is only its turn that the job waits for.</summary>
    public void Ask(JobState job, bool isThere, DateTimeOffset now, IActorRef groups, IActorRef asker)
    {
        if (!isThere || !job.AwaitsTurn || job.IsHeld || job.Name.HasAttempt() || job.NextAttemptAt > now)
        {
            return;
        }

        if (_wait is { } wait && time.GetElapsedTime(_askedAt) < wait)
        {
            return;
        }

        _wait = _wait is { } before && before + before is var twice ? (twice < AskAgainMax ? twice : AskAgainMax) : AskAgainMin;
        _askedAt = time.GetTimestamp();
        groups.Tell(new AskTurn(new GroupId(job.JobId.Home, job.Spec!.Needs.Group!), job.JobId, job.Spec.Needs.Priority, job.Spec.Caller.User), asker);
    }

    /// <returns>The job as it stands with that answer.</returns>
    public JobState Take(TurnAnswer answer, JobState job)
    {
        Why = answer.Why;
        if (!answer.IsGranted || !job.AwaitsTurn)
        {
            return job;
        }

        _wait = null;
        return job with { HasTurn = true };
    }
}
