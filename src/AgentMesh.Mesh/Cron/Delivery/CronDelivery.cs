using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron.Delivery;

/// <summary>Whether the end of a run was told. The numbers are on disk.</summary>
public enum CronDeliveryState
{
    /// <summary>To be tried, perhaps again.</summary>
    Due = 1,

    /// <summary>The receiver took it.</summary>
    Delivered = 2,

    /// <summary>Nothing more is tried; the problem says why.</summary>
    GivenUp = 3,
}

/// <summary>The telling of one run.</summary>
/// <remarks>
/// <code>
/// from       on                                                     to
/// (none)     the run ended, and its schedule wants that told        due
/// due        an attempt failed, and there are more                  due
/// due        the receiver answered 2xx                              delivered
/// due        refused for good, attempts used up, URL withdrawn      given up
/// any        the schedule is removed                                (none)
/// </code>
/// </remarks>
/// <param name="Attempts">That came to an end. One that a crash broke off is not among them.</param>
/// <param name="NextAt">Not before this; means nothing when it is not due.</param>
/// <param name="At">When the newest of the attempts ended; null before.</param>
/// <param name="Status">Of the newest answer; null where there was none.</param>
/// <param name="Problem">Why the newest attempt did not deliver it.</param>
public sealed record CronDelivery(CronDeliveryState State, int Attempts, DateTimeOffset NextAt, DateTimeOffset? At, int? Status, Problem? Problem)
{
    /// <summary>What is told; null when it is not due any more.</summary>
    public CronReport? Report { get; init; }

    public bool IsDue => State == CronDeliveryState.Due;
}

/// <summary>The newest attempt to tell a run of a schedule.</summary>
public sealed record CronLastDelivery(JobId JobId, CronDelivery Delivery);
