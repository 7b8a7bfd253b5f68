using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>Whether the end of a run or a job was told. The numbers are on disk.</summary>
public enum DeliveryState
{
    /// <summary>To be tried, perhaps again.</summary>
    Due = 1,

    /// <summary>The receiver took it.</summary>
    Delivered = 2,

    /// <summary>Nothing more is tried; the problem says why.</summary>
    GivenUp = 3,
}

/// <summary>The telling of one end: of a run of a schedule, or of a job.</summary>
/// <remarks>
/// <code>
/// from       on                                                     to
/// (none)     it ended, and its schedule or caller wants that told   due
/// due        an attempt failed, and there are more                  due
/// due        the receiver answered 2xx                              delivered
/// due        refused for good, attempts used up, URL withdrawn      given up
/// any        the schedule is removed, the job is retried            (none)
/// </code>
/// </remarks>
/// <param name="Attempts">That came to an end. One that a crash broke off is not among them.</param>
/// <param name="NextAt">Not before this; means nothing when it is not due.</param>
/// <param name="At">When the newest of the attempts ended; null before.</param>
/// <param name="Status">Of the newest answer; null where there was none.</param>
/// <param name="Problem">Why the newest attempt did not deliver it.</param>
public sealed record Delivery(DeliveryState State, int Attempts, DateTimeOffset NextAt, DateTimeOffset? At, int? Status, Problem? Problem)
{
    /// <summary>Of a run, what is told; null when it is not due any more. A job at rest has it itself.</summary>
    public EndReport? Report { get; init; }

    /// <summary>Of the event that ended what is told, in the journal of its entity: the id follows from it. 0 for a run of a schedule, which ends once, and for ends in journals of before, whose ids follow from their moments.</summary>
    public long Number { get; init; }

    /// <summary>To be tried for the first time.</summary>
    public static Delivery Begun(DateTimeOffset at, long number = 0) => new(DeliveryState.Due, 0, at, null, null, null) { Number = number };

    public bool IsDue => State == DeliveryState.Due;
}
