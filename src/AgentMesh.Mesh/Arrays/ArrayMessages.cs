using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Arrays;

/// <summary>A message to the entity of an array, or from it. The entity listens to its own device only.</summary>
public interface IArrayMessage
{
    ArrayId ArrayId { get; }
}

/// <summary>Answered with <see cref="ArrayAccepted"/> when it is on disk, or <see cref="ArrayProblem"/>. A repeat with the same spec is answered like the first.</summary>
public sealed record SubmitArray(ArrayId ArrayId, ArraySpec Spec) : IArrayMessage;

/// <param name="Repeated">The array was there already.</param>
public sealed record ArrayAccepted(ArrayId ArrayId, bool Repeated) : IArrayMessage;

/// <summary>Answered with <see cref="ArrayView"/> or <see cref="ArrayProblem"/>.</summary>
public sealed record GetArray(ArrayId ArrayId) : IArrayMessage;

/// <summary>Brings an array that is not over back to life after a restart. Answered like <see cref="GetArray"/>.</summary>
public sealed record WakeArray(ArrayId ArrayId) : IArrayMessage;

/// <summary>Answered with <see cref="ArrayElements"/> or <see cref="ArrayProblem"/>.</summary>
/// <param name="From">The first index.</param>
/// <param name="Failed">Only those that ended and did not complete.</param>
/// <param name="Limit">1 to <see cref="ArrayElements.Max"/>.</param>
public sealed record GetElements(ArrayId ArrayId, int From, int Limit, bool Failed) : IArrayMessage;

/// <summary>Answered with <see cref="ArrayView"/> after the wish is on disk; what runs may take a moment to end.</summary>
public sealed record CancelArray(ArrayId ArrayId, Caller By) : IArrayMessage;

/// <summary>Begins every element again that did not complete. Answered with <see cref="ArrayView"/> or <see cref="ArrayProblem"/>.</summary>
public sealed record RetryArray(ArrayId ArrayId, Caller By) : IArrayMessage;

public sealed record ArrayProblem(ArrayId ArrayId, Problem Problem) : IArrayMessage, IRefusal;

/// <summary>The numbers are on the wire; the names are what interfaces print, in lower case.</summary>
public enum ArrayStateName
{
    /// <summary>Nothing of it runs now.</summary>
    Waiting = 1,
    Running = 2,
    Cancelling = 3,

    /// <summary>Every element completed.</summary>
    Completed = 4,

    /// <summary>Over, and an element failed.</summary>
    Failed = 5,
    Cancelled = 6,
}

public enum ElementStateName
{
    Waiting = 1,
    Running = 2,
    Completed = 3,
    Failed = 4,
    Cancelled = 5,
}

/// <summary>What is known of an array now, without its elements.</summary>
/// <param name="WaitingFor">Why nothing of it begins, in words; null while something does.</param>
public sealed record ArrayView(
    ArrayId ArrayId,
    ArrayStateName State,
    string Command,
    string Selector,
    int? Parallel,
    int Count,
    int Waiting,
    int Running,
    int Completed,
    int Failed,
    int Cancelled,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? EndedAt,
    string? IdempotencyKey,
    string? WaitingFor) : IArrayMessage
{
    /// <summary>Who is told when it is over; null for nobody.</summary>
    public Notify? Notify { get; init; }

    /// <summary>Whether its end was told; null where nobody is told of it.</summary>
    public Delivery? Delivery { get; init; }
}

/// <param name="Number">What people call it.</param>
/// <param name="Parameters">For people.</param>
/// <param name="JobId">The newest job; <c>default</c> before the first.</param>
public sealed record ElementView(
    int Index, int Number, ElementStateName State, string Parameters, JobId JobId, string? DeviceName, int? ExitCode, Problem? Problem, string? Text, DateTimeOffset? BeganAt, DateTimeOffset? EndedAt);

/// <param name="Next">The index to go on with; null at the end.</param>
public sealed record ArrayElements(ArrayId ArrayId, ImmutableArray<ElementView> Elements, int? Next) : IArrayMessage
{
    public const int Max = 1_000;

    public bool Equals(ArrayElements? other) => other is not null && ArrayId == other.ArrayId && Next == other.Next && Elements.AsSpan().SequenceEqual(other.Elements.AsSpan());

    public override int GetHashCode() => HashCode.Combine(ArrayId, Elements.Length);
}
