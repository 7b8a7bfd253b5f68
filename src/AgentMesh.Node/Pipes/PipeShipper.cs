using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Input;
using AgentMesh.Node.Output;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Node.Pipes;

/// <summary>Brings what programs of a pipe write to the programs that read it. What those have taken may go here.</summary>
internal sealed class PipeShipper : IAsyncDisposable
{
    private readonly ExecutionTable _table;
    private readonly InputFeeder _feeder;
    private readonly BulkPace _pace;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<AttemptKey, Task> _shipments = new();

    public PipeShipper(ExecutionTable table, InputFeeder feeder, BulkPace pace)
    {
        _table = table;
        _feeder = feeder;
        _pace = pace;
        table.Started += Begin;
        foreach (Execution execution in table.All.OrderBy(each => each.Order.Key.ToString(), StringComparer.Ordinal))
        {
            Begin(execution);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _table.Started -= Begin;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_shipments.Values).ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Begin(Execution execution)
    {
        if (execution is { Order.PipeTo: { } pipe, Spool: not null })
        {
            _shipments[execution.Order.Key] = Task.Run(() => ShipAsync(execution, pipe));
        }
    }

    private async Task ShipAsync(Execution execution, JobPipe pipe)
    {
        AttemptSpool spool = execution.Spool!;
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            Task feeding = _feeder.FeedAsync(new SpoolSource(execution, _pace), new AttemptKey(pipe.Job, 1), pipe.Device, byHome: true, StreamPriority.Bulk, over.Token);
            Task broken = BrokenAsync(execution, over.Token);
            await Task.WhenAny(feeding, broken).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(feeding, broken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Token.ThrowIfCancellationRequested();

            // Nobody reads it any more: the program notices at its next write, and what it wrote until then goes nowhere.
            execution.CloseOutput();
            while (true)
            {
                Task changed = spool.Changed;
                bool isEnded = spool.IsEnded;
                spool.Acknowledge(SpoolStream.Stdout, long.MaxValue);
                if (isEnded)
                {
                    break;
                }

                await changed.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
        {
            // The node stops, or the attempt was abandoned.
        }
        finally
        {
            _shipments.TryRemove(execution.Order.Key, out _);
            _table.RemoveWhenDone(execution);
        }
    }

    /// <summary>Completes when the program was ended, and did not end: its reader is not told of an end.</summary>
    private async Task BrokenAsync(Execution execution, CancellationToken over)
    {
        await execution.Ended.WaitAsync(over).ConfigureAwait(false);
        if (new SpoolSource(execution, _pace).IsEnded)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, over).ConfigureAwait(false);
        }
    }
}
