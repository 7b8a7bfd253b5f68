using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Input;

namespace AgentMesh.Node.Input;

/// <summary>Where a stream that is not for a program of this device goes on to: it asks the job.</summary>
/// <returns>The device to pass it on to, or why it is refused.</returns>
internal delegate Task<(DeviceId? To, InputRefusal Why)> InputRoute(JobId job, int attempt, DeviceId from, CancellationToken cancellationToken);

/// <summary>Takes input for the programs of this device, and, as the home of jobs, passes it on between devices that do not reach each other.</summary>
internal sealed class InputIntake(ExecutionTable table, InputRoute route, Func<DeviceId, CancellationToken, ValueTask<IMeshStream>> open)
{
    public const string Service = "program-input";

    private const int CopyBytes = 64 * 1024;

    /// <summary>Serves one stream until it ends.</summary>
    public async Task ServeAsync(DeviceId from, IMeshStream stream, CancellationToken cancellationToken)
    {
        if (await OutputRequest.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not { } request || !JobId.TryParse(request.JobId, out JobId job))
        {
            await RefuseAsync(stream, InputRefusal.NotHere, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!table.TryGet(new AttemptKey(job, request.Attempt), out Execution execution))
        {
            await PassOnAsync(request, job, from, stream, cancellationToken).ConfigureAwait(false);
        }
        else if (from != job.Home && from != execution.Order.Input?.From)
        {
            await RefuseAsync(stream, InputRefusal.NotYours, cancellationToken).ConfigureAwait(false);
        }
        else if (execution.Input is not { } input)
        {
            await RefuseAsync(stream, InputRefusal.NoInput, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await TakeAsync(input, stream, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task RefuseAsync(IMeshStream stream, InputRefusal why, CancellationToken cancellationToken)
    {
        await new InputFrame(InputFrameKind.Refuse, (long)why, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
        await stream.CompleteWritesAsync().ConfigureAwait(false);
    }

    private static async Task TakeAsync(ProgramInput input, IMeshStream stream, CancellationToken cancellationToken)
    {
        using InputSender sender = input.Attach();
        long offset = await sender.ReadyAsync(cancellationToken).ConfigureAwait(false);
        await new InputFrame(InputFrameKind.Accept, offset, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task telling = TellAsync(input, stream, left.Task, over);
        try
        {
            if (await ReceiveAsync(sender, stream, over.Token).ConfigureAwait(false))
            {
                left.SetResult();
                await telling.ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The program takes no more: nobody looks at what else is sent.
        }
        catch (IOException)
        {
            // The sender has gone, or another one has taken its place; the input waits for the next.
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Whether the sender has left the program to another one.</returns>
    private static async Task<bool> ReceiveAsync(InputSender sender, IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] header = new byte[InputFrame.HeaderBytes], data = new byte[InputFrame.DataBytesMax];
        while (await InputFrame.ReadAsync(stream, header, cancellationToken).ConfigureAwait(false) is { } frame)
        {
            switch (frame.Kind)
            {
                case InputFrameKind.Data:
                    if (!await stream.TryFillAsync(data.AsMemory(0, frame.Length), cancellationToken).ConfigureAwait(false))
                    {
                        return false;
                    }

                    await sender.WriteAsync(frame.Offset, data.AsMemory(0, frame.Length), cancellationToken).ConfigureAwait(false);
                    break;
                case InputFrameKind.End:
                    sender.End(frame.Offset);
                    break;
                case InputFrameKind.Resize:
                    sender.Resize((int)(frame.Offset >> 16 & ushort.MaxValue), (int)(frame.Offset & ushort.MaxValue));
                    break;
                case InputFrameKind.Leave:
                    sender.Leave(frame.Offset);
                    return true;
                default:
                    return false;
            }
        }

        return false;
    }

    /// <param name="left">The sender has left the program to another one.</param>
    /// <param name="over">Cancelled here when the program takes no more.</param>
    private static async Task TellAsync(ProgramInput input, IMeshStream stream, Task left, CancellationTokenSource over)
    {
        long told = -1;
        while (true)
        {
            Task changed = input.Changed;
            bool isClosed = input.IsClosed;
            if (input.Taken is var taken && taken != told)
            {
                await new InputFrame(InputFrameKind.Acknowledge, taken, 0).SendAsync(stream, over.Token).ConfigureAwait(false);
                told = taken;
            }

            if (isClosed)
            {
                await new InputFrame(InputFrameKind.Closed, taken, 0).SendAsync(stream, over.Token).ConfigureAwait(false);
                await stream.CompleteWritesAsync().ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                return;
            }

            if (left.IsCompleted)
            {
                await new InputFrame(InputFrameKind.Left, taken, 0).SendAsync(stream, over.Token).ConfigureAwait(false);
                await stream.CompleteWritesAsync().ConfigureAwait(false);
                return;
            }

            await Task.WhenAny(changed, left).WaitAsync(over.Token).ConfigureAwait(false);
        }
    }

    private async Task PassOnAsync(OutputRequest request, JobId job, DeviceId from, IMeshStream stream, CancellationToken cancellationToken)
    {
        (DeviceId? to, InputRefusal why) = await route(job, request.Attempt, from, cancellationToken).ConfigureAwait(false);
        if (to is not { } device)
        {
            await RefuseAsync(stream, why, cancellationToken).ConfigureAwait(false);
            return;
        }

        IMeshStream onward = await open(device, cancellationToken).ConfigureAwait(false);
        await using (onward.ConfigureAwait(false))
        {
            await request.SendAsync(onward, cancellationToken).ConfigureAwait(false);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task there = CopyAsync(stream, onward, over), back = CopyAsync(onward, stream, over);

            // The receiver's last word ends it; should the sender go first, the receiver notices.
            await back.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await over.CancelAsync().ConfigureAwait(false);
            await there.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task CopyAsync(IMeshStream from, IMeshStream to, CancellationTokenSource over)
    {
        byte[] buffer = new byte[CopyBytes];
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, over.Token).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), over.Token).ConfigureAwait(false);
            }

            await to.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch
        {
            await over.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }
}
