using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Input;
using AgentMesh.Node.Output;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Node.Pipes;

/// <summary>What a program writes, as the input of another one. It ends where the program ended by itself: half an output is not all.</summary>
internal sealed class SpoolSource(Execution execution, BulkPace pace) : IInputSource
{
    private readonly AttemptSpool _spool = execution.Spool!;

    public Task Changed => execution.Ended.IsCompleted ? _spool.Changed : Task.WhenAny(_spool.Changed, execution.Ended);

    public bool IsEnded => execution.Ended is { IsCompletedSuccessfully: true, Result: { ExitCode: not null, Outcome: AttemptOutcome.Succeeded or AttemptOutcome.Failed, Problem: null } };

    public long Length => _spool.Length(SpoolStream.Stdout);

    public (int Columns, int Rows)? Size => null;

    public void Begin(long offset) => Acknowledge(offset);

    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read = await _spool.ReadAsync(SpoolStream.Stdout, offset, buffer, cancellationToken).ConfigureAwait(false);
        await pace.PassAsync(read, cancellationToken).ConfigureAwait(false);
        return read;
    }

    public void Acknowledge(long offset) => _spool.Acknowledge(SpoolStream.Stdout, offset);

    public void Close() => execution.CloseOutput();
}
