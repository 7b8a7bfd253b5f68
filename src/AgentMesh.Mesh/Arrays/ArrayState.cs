using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Arrays;

/// <summary>
/// An array: the fold of its events. Immutable; knows no actor and no clock. An element is in one place:
/// <code>
/// from      on                                                    to
/// (never)   given to a device                                     Running, generation 1
/// Running   its job came to rest                                  Ended
/// Running   its job was cancelled because the device is gone      Again, next generation
/// Ended     did not complete, and the array is tried again        Again, next generation
/// Again     given to a device                                     Running
/// </code>
/// </summary>
public sealed record ArrayState
{
    private ArrayState(ArrayId arrayId) => ArrayId = arrayId;

    public ArrayId ArrayId { get; }

    /// <summary>False before the first event.</summary>
    public bool Exists => Spec is not null;

    public ArraySpec? Spec { get; init; }

    public DateTimeOffset AcceptedAt { get; init; }

    public DateTimeOffset? CancelRequestedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Whether its present end was told; null where nobody is told of it.</summary>
    public Delivery? Delivery { get; init; }

    /// <summary>Every index below was begun at least once; none from here on was.</summary>
    public int Begun { get; init; }

    public ImmutableSortedDictionary<int, ElementRun> Running { get; init; } = ImmutableSortedDictionary<int, ElementRun>.Empty;

    /// <summary>Index and generation of those that begin again.</summary>
    public ImmutableSortedDictionary<int, int> Again { get; init; } = ImmutableSortedDictionary<int, int>.Empty;

    public ImmutableSortedDictionary<int, ElementEnd> Ended { get; init; } = ImmutableSortedDictionary<int, ElementEnd>.Empty;

    public int Completed { get; init; }

    /// <summary>Of those that ended.</summary>
    public int Cancelled { get; init; }

    public int Failed => Ended.Count - Completed - Cancelled;

    public int Count => Spec?.Items.Count ?? 0;

    public int Waiting => Count - Begun + Again.Count;

    public static ArrayState None(ArrayId id) => new(id);

    public ArrayState Apply(IArrayEvent change)
    {
        Invariant.Check(Exists != (change is ArrayAcceptedEvent));
        return change switch
        {
            ArrayAcceptedEvent e => this with { Spec = e.Spec, AcceptedAt = e.At },
            ElementsPlacedEvent e => e.Elements.Aggregate(this, static (state, element) => state.Place(element)),
            ElementMovingEvent e => this with { Running = Running.SetItem(e.Index, Running[e.Index] with { IsMoving = true }) },
            ElementReleasedEvent e => this with { Running = Running.Remove(e.Index), Again = Again.Add(e.Index, Running[e.Index].Generation + 1) },
            ElementsEndedEvent e => e.Elements.Aggregate(this, static (state, element) => state.End(element)),
            ArrayCancelRequestedEvent e => this with { CancelRequestedAt = e.At },
            ArrayEndedEvent e => this with { EndedAt = e.At, Delivery = e.IsDue ? Delivery.Begun(e.At, e.DueAs) : null },
            ArrayToldEvent e => this with { Delivery = e.Delivery },
            ArrayRetriedEvent => Retry(),
            _ => throw new InvariantException($"unknown event {change.GetType().Name}"),
        };
    }

    private ArrayState Place(ElementRun element)
    {
        Invariant.Check(!Running.ContainsKey(element.Index) && !Ended.ContainsKey(element.Index));
        bool isFirst = element.Index == Begun;
        Invariant.Check(isFirst ? element.Generation == 1 : Again[element.Index] == element.Generation);
        return this with
        {
            Begun = isFirst ? Begun + 1 : Begun,
            Again = isFirst ? Again : Again.Remove(element.Index),
            Running = Running.Add(element.Index, element),
        };
    }

    /// <summary>The one place where the result of an element is recorded: once, and of the job that was out.</summary>
    private ArrayState End(ElementEnd element)
    {
        Invariant.Check(Running[element.Run.Index].JobId == element.Run.JobId);
        return this with
        {
            Running = Running.Remove(element.Run.Index),
            Ended = Ended.Add(element.Run.Index, element),
            Completed = Completed + (element.State == JobStateName.Completed ? 1 : 0),
            Cancelled = Cancelled + (element.State == JobStateName.Cancelled ? 1 : 0),
        };
    }

    private ArrayState Retry()
    {
        ElementEnd[] again = [.. Ended.Values.Where(end => end.State != JobStateName.Completed)];
        return this with
        {
            Ended = Ended.RemoveRange(again.Select(end => end.Run.Index)),
            Again = Again.SetItems(again.Select(end => KeyValuePair.Create(end.Run.Index, end.Run.Generation + 1))),
            Cancelled = 0,
            CancelRequestedAt = null,
            EndedAt = null,
            Delivery = null,
        };
    }
}

/// <summary>An <see cref="ArrayState"/> as the snapshot store keeps it.</summary>
public sealed record ArraySnapshot(
    ArraySpec Spec,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? CancelRequestedAt,
    DateTimeOffset? EndedAt,
    int Begun,
    ImmutableArray<ElementRun> Running,
    ImmutableArray<KeyValuePair<int, int>> Again,
    ImmutableArray<ElementEnd> Ended)
{
    public Delivery? Delivery { get; init; }

    public static ArraySnapshot Of(ArrayState s) => new(s.Spec!, s.AcceptedAt, s.CancelRequestedAt, s.EndedAt, s.Begun, [.. s.Running.Values], [.. s.Again], [.. s.Ended.Values]) { Delivery = s.Delivery };

    public ArrayState ToState(ArrayId id) => ArrayState.None(id) with
    {
        Spec = Spec,
        AcceptedAt = AcceptedAt,
        CancelRequestedAt = CancelRequestedAt,
        EndedAt = EndedAt,
        Delivery = Delivery,
        Begun = Begun,
        Running = Running.ToImmutableSortedDictionary(run => run.Index, run => run),
        Again = Again.ToImmutableSortedDictionary(),
        Ended = Ended.ToImmutableSortedDictionary(end => end.Run.Index, end => end),
        Completed = Ended.Count(end => end.State == JobStateName.Completed),
        Cancelled = Ended.Count(end => end.State == JobStateName.Cancelled),
    };

    public bool Equals(ArraySnapshot? other) =>
        other is not null && Spec == other.Spec && AcceptedAt == other.AcceptedAt && CancelRequestedAt == other.CancelRequestedAt && EndedAt == other.EndedAt && Delivery == other.Delivery && Begun == other.Begun
        && Running.AsSpan().SequenceEqual(other.Running.AsSpan()) && Again.AsSpan().SequenceEqual(other.Again.AsSpan()) && Ended.AsSpan().SequenceEqual(other.Ended.AsSpan());

    public override int GetHashCode() => HashCode.Combine(AcceptedAt, Begun, Running.Length, Ended.Length);
}
