using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>Why a job was submitted. The numbers are on disk.</summary>
public enum CronCause
{
    /// <summary>On time.</summary>
    Schedule = 1,

    /// <summary>For a time that was missed.</summary>
    CatchUp = 2,

    /// <summary>The node was started.</summary>
    Reboot = 3,

    /// <summary>A person asked for it.</summary>
    Manual = 4,

    /// <summary>A person asked for times of the past.</summary>
    Backfill = 5,
}

/// <summary>Why a time was not fired. The numbers are on disk.</summary>
public enum CronMissedReason
{
    /// <summary>The node was not running, or its clock jumped over it.</summary>
    Away = 1,

    /// <summary>An earlier run was not over.</summary>
    Overlap = 2,
}

/// <summary>What the journal of a schedule holds. At the time of the home's clock.</summary>
public interface ICronEvent
{
    DateTimeOffset At { get; }
}

/// <param name="Life">Of the node: <c>@reboot</c> is due in the next one.</param>
public sealed record CronCreatedEvent(DateTimeOffset At, CronSpec Spec, long Life) : ICronEvent;

public sealed record CronUpdatedEvent(DateTimeOffset At, CronSpec Spec, long Life) : ICronEvent;

public sealed record CronEnabledEvent(DateTimeOffset At, long Life) : ICronEvent;

/// <param name="Reason">Null when a person did it.</param>
public sealed record CronDisabledEvent(DateTimeOffset At, Problem? Reason) : ICronEvent;

/// <summary>Written before the job is submitted: the job id follows from the nominal time, so that a repeat is the same job.</summary>
/// <param name="Nominal">When it was due.</param>
public sealed record CronFiredEvent(DateTimeOffset At, DateTimeOffset Nominal, JobId JobId, CronCause Cause, long Life) : ICronEvent
{
    /// <summary>Of a schedule whose devices are looked for: the jobs; none where there was nobody, and the time is missed. Default for the device of the schedule.</summary>
    public ValueList<CronTarget>? Targets { get; init; }
}

/// <summary>A person asked for times of the past. With none left: the rest is given up.</summary>
public sealed record CronBackfillEvent(DateTimeOffset At, CronBackfill Backfill) : ICronEvent;

/// <param name="Through">Nothing up to here is fired any more.</param>
/// <param name="Count">At least so many times, when it is <see cref="CronRules.CountMax"/>.</param>
public sealed record CronMissedEvent(DateTimeOffset At, DateTimeOffset Through, int Count, CronMissedReason Reason, long Life) : ICronEvent;

/// <summary>It was due while a run was not over, and is fired after it. One that waited before is missed.</summary>
public sealed record CronBufferedEvent(DateTimeOffset At, DateTimeOffset Nominal) : ICronEvent;

/// <param name="State">At rest: completed, failed, cancelled or paused.</param>
public sealed record CronRunEndedEvent(DateTimeOffset At, JobId JobId, JobStateName State) : ICronEvent
{
    /// <summary>With it the run is to be told from now on, until a <see cref="CronDeliveryEvent"/> says otherwise; null where nobody is told.</summary>
    public EndReport? Report { get; init; }
}

/// <summary>How an attempt to tell a run ended, or that none is made any more.</summary>
/// <param name="Delivery">As it stands now, without what is told.</param>
public sealed record CronDeliveryEvent(DateTimeOffset At, JobId JobId, Delivery Delivery) : ICronEvent;

public sealed record CronRemovedEvent(DateTimeOffset At) : ICronEvent;
