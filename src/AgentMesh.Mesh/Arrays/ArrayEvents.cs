using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Arrays;

/// <summary>An element that was given to a device.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Generation">From 1; one more for each time it is given to a device anew, which is another job.</param>
/// <param name="IsMoving">Its job is being cancelled, because its device is gone and another one can do it.</param>
public sealed record ElementRun(int Index, int Generation, JobId JobId, DeviceId Device, string DeviceName, DateTimeOffset PlacedAt, bool IsMoving = false);

/// <summary>What became of an element; it does not change unless the array is tried again.</summary>
/// <param name="State">In which its job came to rest.</param>
/// <param name="Text">The beginning of a handler's result.</param>
/// <param name="BeganAt">When its last attempt was given to the device.</param>
public sealed record ElementEnd(ElementRun Run, JobStateName State, int? ExitCode, Problem? Problem, string? Text, DateTimeOffset? BeganAt, DateTimeOffset EndedAt)
{
    public const int TextCharsMax = 200;
}

/// <summary>What the journal of an array holds. At the time of the home's clock.</summary>
public interface IArrayEvent
{
    DateTimeOffset At { get; }
}

public sealed record ArrayAcceptedEvent(DateTimeOffset At, ArraySpec Spec) : IArrayEvent;

/// <summary>Written before their jobs are submitted.</summary>
public sealed record ElementsPlacedEvent(DateTimeOffset At, ImmutableArray<ElementRun> Elements) : IArrayEvent
{
    public bool Equals(ElementsPlacedEvent? other) => other is not null && At == other.At && Elements.AsSpan().SequenceEqual(other.Elements.AsSpan());

    public override int GetHashCode() => HashCode.Combine(At, Elements.Length);
}

/// <summary>Written before the job of the element is cancelled.</summary>
public sealed record ElementMovingEvent(DateTimeOffset At, int Index) : IArrayEvent;

/// <summary>The job of a moving element will never run: another device may have it.</summary>
public sealed record ElementReleasedEvent(DateTimeOffset At, int Index) : IArrayEvent;

public sealed record ElementsEndedEvent(DateTimeOffset At, ImmutableArray<ElementEnd> Elements) : IArrayEvent
{
    public bool Equals(ElementsEndedEvent? other) => other is not null && At == other.At && Elements.AsSpan().SequenceEqual(other.Elements.AsSpan());

    public override int GetHashCode() => HashCode.Combine(At, Elements.Length);
}

/// <summary>From here on no element begins.</summary>
public sealed record ArrayCancelRequestedEvent(DateTimeOffset At, Caller By) : IArrayEvent;

/// <summary>No element runs, and none will.</summary>
public sealed record ArrayEndedEvent(DateTimeOffset At) : IArrayEvent
{
    /// <summary>It is to be told to the URL of the array.</summary>
    public bool IsDue { get; init; }

    /// <summary>Its number in the journal, where it is to be told; 0 otherwise, and in journals of before.</summary>
    public long DueAs { get; init; }
}

/// <summary>An attempt to tell the end of the array to its URL has ended.</summary>
public sealed record ArrayToldEvent(DateTimeOffset At, Delivery Delivery) : IArrayEvent;

/// <summary>Every element that did not complete begins again.</summary>
public sealed record ArrayRetriedEvent(DateTimeOffset At, Caller By) : IArrayEvent;
