using AgentMesh.Errors;

namespace AgentMesh.Journal.Events;

/// <summary>A write to the file. <see cref="Apply"/> runs on the writer thread and may run twice when its batch is taken apart.</summary>
internal abstract class WriteOperation : QueuedWrite
{
    public abstract void Apply(JournalStatements statements);
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
