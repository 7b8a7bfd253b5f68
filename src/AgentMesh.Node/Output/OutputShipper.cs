using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Node.Output;

/// <summary>
/// Brings the output of attempts from their spool to their home, in order, and goes on where it was when a connection or the home comes back.
/// What the home acknowledged is on its disk and may go here.
/// </summary>
internal sealed class OutputShipper : IAsyncDisposable
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    private readonly DeviceId _self;
    private readonly Func<HomeId, DeviceId?> _placeOf;
    private readonly ExecutionTable _table;
    private readonly ConnectionHub _hub;
    private readonly OutputIntake _local;
    private readonly BulkPace _pace;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<AttemptKey, Task> _shipments = new();

    /// <param name="placeOf">The device that takes output for a home: the home itself, or any member of a pool; null while there is none in reach.</param>
    public OutputShipper(DeviceId self, Func<HomeId, DeviceId?> placeOf, ExecutionTable table, ConnectionHub hub, OutputIntake local, BulkPace pace, TimeProvider time)
    {
        _self = self;
        _placeOf = placeOf;
        _table = table;
        _hub = hub;
        _local = local;
        _pace = pace;
        _time = time;
        table.Started += Begin;
        foreach (Execution execution in table.All.Where(execution => execution.Spool is not null))
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

    private void Begin(Execution execution) => _shipments[execution.Order.Key] = Task.Run(() => ShipAsync(execution));

    private async Task ShipAsync(Execution execution)
    {
        TimeSpan wait = RetryMin;
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    if (await TryShipAsync(execution).ConfigureAwait(false))
                    {
                        break;
                    }

                    wait = RetryMin;
                }
                catch (Exception error) when (error is MeshException or IOException or OperationCanceledException && !_stop.IsCancellationRequested)
                {
                    // The home is away: the spool keeps the output.
                    wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, RetryMax.Ticks));
                }

                await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        catch (ObjectDisposedException)
        {
            // The attempt was abandoned and its spool is gone.
        }
        finally
        {
            _shipments.TryRemove(execution.Order.Key, out _);
            _table.RemoveWhenDone(execution);
        }
    }

    /// <returns>True when everything has arrived, or the home does not want it.</returns>
    private async Task<bool> TryShipAsync(Execution execution)
    {
        if (_placeOf(execution.Order.Key.Job.Home) is not { } place)
        {
            throw new IOException("no member of the pool is in reach");
        }

        if (place == _self)
        {
            try
            {
                return await _local.TakeAllAsync(execution, _stop.Token).ConfigureAwait(false) is not { } refusal || OnRefused(execution, refusal);
            }
            catch (MeshException error)
            {
                return OnRefused(execution, OutputIntake.WhyOf(error));
            }
        }

        IMeshStream stream = await _hub.OpenAsync(place, OutputServices.Append, StreamPriority.Bulk, _stop.Token).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            AttemptKey key = execution.Order.Key;
            await new OutputRequest(key.Job.ToString(), key.Attempt, 0, 0, false).SendAsync(stream, _stop.Token).ConfigureAwait(false);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            Task<bool> acknowledgements = TakeAcknowledgementsAsync(execution, stream, ended);
            try
            {
                await SendAsync(execution, stream, ended.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                // The home has ended the stream: its last frame says why.
            }

            return await acknowledgements.ConfigureAwait(false);
        }
    }

    private async Task SendAsync(Execution execution, IMeshStream stream, CancellationToken cancel)
    {
        AttemptSpool spool = execution.Spool!;
        byte[] buffer = new byte[OutputFrame.HeaderBytes + OutputFrame.DataBytesMax];
        SpoolStream[] streams = OutputIntake.StreamsOf(execution);
        var sent = new Dictionary<SpoolStream, long> { [SpoolStream.Stdout] = 0, [SpoolStream.Stderr] = 0 };
        Array.ForEach(streams, part => sent[part] = spool.Acknowledged(part));
        while (true)
        {
            Task changed = spool.Changed;
            bool isEnded = spool.IsEnded;
            bool moved = false;
            foreach (SpoolStream part in streams)
            {
                // The home may have more than this process of the node has sent.
                sent[part] = Math.Max(sent[part], spool.Acknowledged(part));
                int read = await spool.ReadAsync(part, sent[part], buffer.AsMemory(OutputFrame.HeaderBytes), cancel).ConfigureAwait(false);
                if (read > 0)
                {
                    new OutputFrame(OutputFrameKind.Data, (byte)part, sent[part], read).Write(buffer);
                    await stream.WriteAsync(buffer.AsMemory(0, OutputFrame.HeaderBytes + read), cancel).ConfigureAwait(false);
                    sent[part] += read;
                    moved = true;
                    await _pace.PassAsync(read, cancel).ConfigureAwait(false);
                }
            }

            if (!moved && isEnded)
            {
                foreach ((SpoolStream part, long length) in sent)
                {
                    await new OutputFrame(OutputFrameKind.End, (byte)part, length, 0).SendAsync(stream, cancel).ConfigureAwait(false);
                }

                await stream.CompleteWritesAsync().ConfigureAwait(false);
                return;
            }

            if (!moved)
            {
                await changed.WaitAsync(cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TakeAcknowledgementsAsync(Execution execution, IMeshStream stream, CancellationTokenSource ended)
    {
        byte[] header = new byte[OutputFrame.HeaderBytes];
        var final = new HashSet<byte>();
        try
        {
            while (await OutputFrame.ReadAsync(stream, header, _stop.Token).ConfigureAwait(false) is { } frame)
            {
                switch (frame.Kind)
                {
                    case OutputFrameKind.Acknowledge when OutputIntake.StreamsOf(execution).Contains((SpoolStream)frame.Stream):
                        execution.Spool!.Acknowledge((SpoolStream)frame.Stream, frame.Offset);
                        break;
                    case OutputFrameKind.End:
                        final.Add(frame.Stream);
                        break;
                    case OutputFrameKind.Refuse:
                        return OnRefused(execution, (OutputRefusal)Math.Min(frame.Offset, byte.MaxValue));
                }

                if (final.Count == 2)
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <returns>True when there is nothing more to ship.</returns>
    private static bool OnRefused(Execution execution, OutputRefusal why)
    {
        AttemptSpool spool = execution.Spool!;
        switch (why)
        {
            case OutputRefusal.OlderAttempt or OutputRefusal.UnknownJob or OutputRefusal.NotYours or OutputRefusal.Unstorable:
                // Nobody will ever have it: what is spooled counts as taken.
                bool isEnded = spool.IsEnded;
                Array.ForEach(OutputIntake.StreamsOf(execution), part => spool.Acknowledge(part, long.MaxValue));
                return isEnded;
            case OutputRefusal.NoRoom:
                execution.SettleWithoutOutput();
                return false;
            default:
                return false;
        }
    }
}
