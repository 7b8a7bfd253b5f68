using AgentMesh.Mesh.Retention;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>What those are told who ask something of a job: the state in, the answer out. Changes nothing.</summary>
internal sealed class JobReplies(JobEnvironment environment)
{
    /// <param name="life">Of the target's node; null while it is away.</param>
    /// <returns>Null for a job that is to be accepted.</returns>
    public object? ToSubmission(JobState job, SubmitJob submit, bool isFromHome, long? life, DateTimeOffset now)
    {
        if (!isFromHome)
        {
            return Refusal(job, MeshErrors.NotYours, "a job is accepted by the device of its caller only", "submit it to the node of this device");
        }

        if (job.Exists)
        {
            bool isSame = job.Spec!.Command.Equals(submit.Spec.Command) && job.Spec.Target.Device == submit.Spec.Target.Device;
            return isSame
                ? new JobAccepted(job.JobId, Repeated: true)
                : Refusal(job, MeshErrors.KeyReused, $"the idempotency key '{submit.Spec.IdempotencyKey}' belongs to another command: {job.Spec.Command}", "use another key, or none");
        }

        return life is null && !submit.Spec.QueueWhenOffline
            ? Refusal(
                job, MeshErrors.PeerOffline, environment.AbsenceOf(submit.Spec.Target, now), "'agentmesh peers' shows who is there; --queue accepts the job and starts it when the device is back")
            : null;
    }

    /// <param name="wasThere">There is a job, or was one.</param>
    /// <param name="mayRead">Asked where there is such a job.</param>
    /// <returns>Null for who is answered.</returns>
    public static JobProblem? ToReader(JobState job, bool wasThere, Func<bool> mayRead) => job switch
    {
        { Exists: false } when wasThere => Refusal(job, MeshErrors.Removed, RemovedProblem.Text($"job {job.JobId}"), RemovedProblem.NextStep),
        { Exists: false } => Refusal(job, MeshErrors.UnknownJob, $"there is no job {job.JobId}", "'agentmesh job list' shows the jobs of this device"),
        _ when !mayRead() => Refusal(job, MeshErrors.NotYours, "a job is shown to the device that submitted it and to the one that runs it", "ask there"),
        _ => null,
    };

    public static JobProblem OnlyItsHomeChangesIt(JobState job) => Refusal(job, MeshErrors.NotYours, "only the device that submitted a job changes it", "do it on that device");

    public static JobProblem TooManyWait(JobState job) => Refusal(job, MeshErrors.Busy, $"{JobWaiters.Max} readers wait for this job already", "try again in a moment");

    public static JobProblem NothingToCancel(JobState job) =>
        Refusal(job, MeshErrors.NotInThisState, $"the job is {Shown(job.Name)}: there is nothing to cancel", "'agentmesh job show' tells its result");

    public static JobProblem NothingToRetry(JobState job) =>
        Refusal(job, MeshErrors.NotInThisState, $"the job is {Shown(job.Name)}; only a paused, failed or cancelled one begins again", "'agentmesh job show' tells what it does");

    public static JobProblem NotStored(JobState job, string why) =>
        Refusal(job, MeshErrors.NotStored, $"the journal of this device did not take it: {why}", "look at the log of the node; 'agentmesh job list' tells whether it was taken after all");

    /// <param name="isThere">Whether the device is there that the job is for, or that runs it.</param>
    public JobView View(JobState job, bool isThere, DependencyWatch dependencies, JobTurn turn, DateTimeOffset now) =>
        job.ToView(WaitReason.Of(job, new WaitFacts(isThere, environment.LastSeenOf(job.Spec!.Target.Device), () => dependencies.Describe(job.Spec!), turn.Why), now));

    private static JobProblem Refusal(JobState job, string code, string text, string? next) => new(job.JobId, new Problem(code, text, next));

    private static string Shown(JobStateName name) => name.ToString().ToLowerInvariant();
}
