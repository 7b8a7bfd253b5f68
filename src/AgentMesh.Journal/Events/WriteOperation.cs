using AgentMesh.Errors;

namespace AgentMesh.Journal.Events;

/// <summary>One write that waits for its transaction. <see cref="Apply"/> runs on the writer thread and may run twice when its batch is taken apart.</summary>
internal abstract class WriteOperation
{
    /// <summary>The entity it concerns, for readers that must not overtake it.</summary>
    public required string Scope { get; init; }

    public long Bytes { get; init; }

    /// <summary>Timestamp of the time provider after which it has failed.</summary>
    public long Deadline { get; set; }

    /// <summary>Its caller has been told that it timed out; guarded by the queue's lock.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>What the caller waits for.</summary>
    public abstract Task Ended { get; }

    public abstract void Apply(JournalStatements statements);

    /// <summary>The commit is on disk.</summary>
    public abstract void Complete();

    public abstract void Fail(MeshException error);
}

internal sealed class WriteOperation<T>(Func<JournalStatements, T> work) : WriteOperation
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Task => _completion.Task;

    public override Task Ended => _completion.Task;

    public override void Apply(JournalStatements statements) => _result = work(statements);

    public override void Complete() => _completion.TrySetResult(_result);

    public override void Fail(MeshException error) => _completion.TrySetException(error);
}
