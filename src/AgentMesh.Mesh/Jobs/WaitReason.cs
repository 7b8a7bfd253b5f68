using AgentMesh.Mesh.Peers;

namespace AgentMesh.Mesh.Jobs;

/// <summary>What is known, beside the job itself, when it is asked why it waits.</summary>
/// <param name="IsThere">Its device is there now.</param>
/// <param name="LastSeen">When it was last there.</param>
/// <param name="Dependencies">In words, the jobs that must end first.</param>
/// <param name="Turn">In words, what its group answered last; null while it was not asked.</param>
public readonly record struct WaitFacts(bool IsThere, DateTimeOffset? LastSeen, Func<string> Dependencies, string? Turn);

/// <summary>One sentence for every job that waits: for what, or for whom.</summary>
public static class WaitReason
{
    /// <returns>Null where it does not wait: it runs, or has come to rest.</returns>
    public static string? Of(JobState job, WaitFacts facts, DateTimeOffset now) => job.Name switch
    {
        JobStateName.Queued when job.IsHeld => facts.Dependencies(),
        JobStateName.Retrying when job.NextAttemptAt > now => $"the next attempt begins at {job.NextAttemptAt:u}{Since(job)}",
        JobStateName.Placing or JobStateName.Running when !facts.IsThere => $"{Absent(job, facts, now)}; its attempt is waited for",
        JobStateName.Placing or JobStateName.Running when job.WaitingThere is { } there => $"waiting for {there}",
        JobStateName.Placing => $"{job.Spec!.Target.Name} has been told and has not answered yet",
        JobStateName.Queued or JobStateName.Retrying when !facts.IsThere => Absent(job, facts, now),
        JobStateName.Queued or JobStateName.Retrying when job.AwaitsTurn => facts.Turn ?? $"asks for its turn in the group {job.Spec!.Needs.Group}",
        JobStateName.Queued or JobStateName.Retrying => $"goes to {job.Spec!.Target.Name} now",
        _ => null,
    };

    private static string Absent(JobState job, WaitFacts facts, DateTimeOffset now) => Absence.Of(job.Spec!.Target.Name, facts.LastSeen, now);

    private static string Since(JobState job) => job.Result is { Problem: { } problem } ? $"; {problem.Code}: {problem.Text}" : "";
}
