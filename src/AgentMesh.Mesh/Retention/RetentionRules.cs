namespace AgentMesh.Mesh.Retention;

/// <summary>How long ended jobs stay at their home.</summary>
/// <param name="JobsMax">Ended jobs, the elements of arrays and the steps of workflows included; the oldest go first. Null for no limit.</param>
/// <param name="For">Since they ended; null for no limit.</param>
public sealed record RetentionLimits(long? JobsMax, TimeSpan? For);

public enum RetainedKind
{
    /// <summary>A job of its own, or of a step of a workflow: its spec says which.</summary>
    Job,

    /// <summary>The job of an element of an array: its id says so.</summary>
    Part,
    Array,
    Workflow,
}

/// <summary>An entity as the index of the journal knows it.</summary>
/// <param name="IsEnded">Completed, failed or cancelled: not one that a person is to decide about.</param>
/// <param name="Key">Grows in the order in which entities were accepted, over all kinds.</param>
/// <param name="LastAt">When it ended, for one that has ended.</param>
public readonly record struct RetainedEntity(string Id, RetainedKind Kind, bool IsEnded, long Key, long HighestSequence, DateTimeOffset LastAt);

/// <summary>
/// Which entities of a home may go, from looks through its index: first at its jobs, then at its arrays and workflows, then at its jobs again.
/// An array goes as a whole and before its jobs; a job that is a part of one goes when none is left that it could belong to. The journal
/// numbers entities in the order in which they were accepted, so a part comes after its whole, whatever the clock said.
/// </summary>
public sealed class RetentionRules(RetentionLimits limits, DateTimeOffset now)
{
    /// <summary>What ended so lately stays in any case: who waits for it has not heard of it yet.</summary>
    public static readonly TimeSpan JustEnded = TimeSpan.FromSeconds(10);

    private long _endedJobs;
    private long _newest;

    /// <summary>What was accepted before it is over the count.</summary>
    private long _firstCounted;

    /// <summary>What is a part and was accepted before it belongs to nothing any more.</summary>
    private long _firstArray = long.MaxValue;

    /// <summary>Takes a job of the first look, the newest first.</summary>
    public void Count(RetainedEntity job)
    {
        _newest = Math.Max(_newest, job.Key);
        if (job.IsEnded && ++_endedJobs == limits.JobsMax)
        {
            _firstCounted = job.Key;
        }
    }

    /// <summary>Whether an array or a workflow goes; every one must be asked about, also those that stay.</summary>
    public bool TakesWhole(RetainedEntity whole)
    {
        bool goes = IsOver(whole);
        if (!goes)
        {
            Keep(whole);
        }

        return goes;
    }

    /// <summary>An array or a workflow stays after all.</summary>
    public void Keep(RetainedEntity whole) => _firstArray = whole.Kind == RetainedKind.Array ? Math.Min(_firstArray, whole.Key) : _firstArray;

    /// <summary>Whether a job goes, as far as the index tells: what workflow it is a step of, and whether another job waits for it, must be asked besides.</summary>
    public bool TakesJob(RetainedEntity job) => job.Kind == RetainedKind.Part

        // One that came after the first look may belong to an array that came after it too.
        ? job.IsEnded && job.Key < _firstArray && job.Key <= _newest
        : IsOver(job);

    private bool IsOver(RetainedEntity entity) =>
        entity.IsEnded && now - entity.LastAt > JustEnded && ((limits.For is { } time && now - entity.LastAt > time) || (limits.JobsMax == 0 && entity.Key <= _newest) || entity.Key < _firstCounted);
}
