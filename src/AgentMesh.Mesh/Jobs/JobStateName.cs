namespace AgentMesh.Mesh.Jobs;

/// <summary>
/// Where a job stands. The numbers are on disk and on the wire.
/// <code>
/// from                     on                                                        to
/// (none)                   submitted; the device is here                             Placing (attempt 1)
/// (none)                   submitted; the device is away and the caller queues       Queued
/// (none)                   submitted with jobs that must end first                   Queued, held
/// Queued, held             they ended as they must                                   Queued
/// Queued, held             one of them ended otherwise                               Cancelled
/// Queued                   the device is here                                        Placing (next attempt)
/// Placing                  the device has the attempt                                Running
/// Running                  the device is back, or its node was restarted             Placing (the same attempt: does it have it?)
/// Placing, Running         succeeded                                                 Completed
/// Placing, Running         failed, timed out or lost; attempts are left              Retrying
/// Placing, Running         failed, timed out or lost; used up                        Paused, or Failed by policy
/// Placing, Running         refused, or a failure that is not retried                 Failed
/// Retrying                 backoff over; the device is here                          Placing (next attempt)
/// Retrying                 backoff over; the device is away                          Retrying, and the queue timeout runs
/// Queued, Retrying         queue timeout                                             Paused
/// Queued, Retrying, Paused cancel                                                    Cancelled
/// Placing, Running         cancel, then the attempt ended or did not answer in time  Cancelled
/// any but at rest          total timeout                                             Failed (an attempt is told to end)
/// Paused, Failed, Cancelled  retry by a person                                       Queued
/// </code>
/// A result of an attempt other than the newest is refused. A result that arrives after the wish to cancel was journalled ends the job as Cancelled.
/// </summary>
public enum JobStateName
{
    Queued = 1,
    Placing = 2,
    Running = 3,
    Retrying = 4,
    Paused = 5,
    Completed = 6,
    Failed = 7,
    Cancelled = 8,

    /// <summary>Reserved: an agent asks its user.</summary>
    InputRequired = 9,
}

public static class JobStates
{
    /// <summary>Nothing happens any more unless a person acts: what waiters wait for.</summary>
    public static bool IsAtRest(this JobStateName state) => state is JobStateName.Paused or JobStateName.Completed or JobStateName.Failed or JobStateName.Cancelled;

    /// <summary>An attempt is out.</summary>
    public static bool HasAttempt(this JobStateName state) => state is JobStateName.Placing or JobStateName.Running;
}
