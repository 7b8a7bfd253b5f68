using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Node.Input;

/// <summary>
/// Brings input to a program, wherever it runs, and goes on where it was when a connection comes back. What the program has taken is acknowledged to the
/// source and may go there.
/// </summary>
internal sealed class InputFeeder(DeviceId self, ConnectionHub hub, InputIntake local, TimeProvider time)
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(1);

    /// <summary>A device that is not reached in this time is tried by way of the home.</summary>
    private static readonly TimeSpan DialWithin = TimeSpan.FromSeconds(3);

    private enum FeedEnd
    {
        /// <summary>The connection was lost, or the device does not have the attempt (yet).</summary>
        Again,

        /// <summary>The program takes no more.</summary>
        Closed,

        /// <summary>The program waits for another sender.</summary>
        Left,
    }

    /// <summary>Completes when the program takes no more or the sender has left it, which the source is told; until then it tries again.</summary>
    /// <param name="byHome">Whether the home of the job passes it on where the device itself is not reached.</param>
    /// <exception cref="MeshException">The device refuses it for good.</exception>
    public async Task FeedAsync(IInputSource source, AttemptKey to, DeviceId device, bool byHome, StreamPriority priority, CancellationToken cancellationToken)
    {
        DeviceId home = to.Job.Home.Device;

        // Also where this is the home: it knows when the job is at rest, and a device that has forgotten the attempt does not.
        DeviceId[] ways = byHome && !home.IsNone && device != home ? [device, home] : [device];
        for (TimeSpan wait = RetryMin; ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, RetryMax.Ticks)))
        {
            foreach (DeviceId way in ways)
            {
                long before = source.Length;
                try
                {
                    switch (await TryFeedAsync(source, to, way, priority, cancellationToken).ConfigureAwait(false))
                    {
                        case FeedEnd.Closed:
                            source.Close();
                            return;
                        case FeedEnd.Left:
                            source.Left();
                            return;
                    }
                }
                catch (StreamAbortedException refused) when (refused.Code == StreamCodes.UnknownService)
                {
                    throw new MeshException(NodeErrors.InputRefused, "the node on that device is older than this one and takes no input for programs", "update AgentMesh there");
                }
                catch (Exception error) when (IsPassing(error) && !cancellationToken.IsCancellationRequested)
                {
                    // The next way, or the same later: the source keeps what was not acknowledged.
                }

                wait = source.Length != before ? RetryMin : wait;
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsPassing(Exception error) => error is IOException or OperationCanceledException or MeshException { Code: not NodeErrors.InputRefused };

    private async Task<FeedEnd> TryFeedAsync(IInputSource source, AttemptKey to, DeviceId way, StreamPriority priority, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IMeshStream stream = await OpenAsync(way, priority, over.Token).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                await new OutputRequest(to.Job.ToString(), to.Attempt, 0, 0, false).SendAsync(stream, over.Token).ConfigureAwait(false);
                byte[] header = new byte[InputFrame.HeaderBytes];
                InputFrame? answer = await InputFrame.ReadAsync(stream, header, over.Token).ConfigureAwait(false);
                if (answer is not { Kind: InputFrameKind.Accept, Offset: var offset })
                {
                    return EndOf(answer, to);
                }

                source.Begin(offset);
                Task sending = SendAsync(source, offset, stream, over.Token);
                try
                {
                    return await HearAsync(source, stream, header, to, over.Token).ConfigureAwait(false);
                }
                finally
                {
                    await over.CancelAsync().ConfigureAwait(false);
                    await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            finally
            {
                stream.Abort(StreamCodes.Done);
            }
        }
    }

    private async Task<IMeshStream> OpenAsync(DeviceId way, StreamPriority priority, CancellationToken cancellationToken)
    {
        if (way != self)
        {
            using var late = new CancellationTokenSource(DialWithin, time);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
            return await hub.OpenAsync(way, InputIntake.Service, priority, patience.Token).ConfigureAwait(false);
        }

        (IMeshStream here, IMeshStream there) = Loopback.Create();
        _ = Task.Run(
            async () =>
            {
                await using (there.ConfigureAwait(false))
                {
                    await local.ServeAsync(self, there, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
            CancellationToken.None);
        return here;
    }

    private static async Task<FeedEnd> HearAsync(IInputSource source, IMeshStream stream, byte[] header, AttemptKey to, CancellationToken cancellationToken)
    {
        while (await InputFrame.ReadAsync(stream, header, cancellationToken).ConfigureAwait(false) is { } frame)
        {
            if (frame.Kind != InputFrameKind.Acknowledge)
            {
                return EndOf(frame, to);
            }

            source.Acknowledge(frame.Offset);
        }

        return FeedEnd.Again;
    }

    private static FeedEnd EndOf(InputFrame? frame, AttemptKey to) => frame switch
    {
        { Kind: InputFrameKind.Closed } or { Kind: InputFrameKind.Refuse, Offset: (long)InputRefusal.Over } => FeedEnd.Closed,
        { Kind: InputFrameKind.Left } => FeedEnd.Left,
        { Kind: InputFrameKind.Refuse, Offset: (long)InputRefusal.NotYours or (long)InputRefusal.NoInput } => throw new MeshException(
            NodeErrors.InputRefused, $"the device refuses input for {to.Job.Short}", "its program was started without input, or for another device: see 'agentmesh job show'"),
        _ => FeedEnd.Again,
    };

    private static async Task SendAsync(IInputSource source, long from, IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[InputFrame.HeaderBytes + InputFrame.DataBytesMax];
        (int Columns, int Rows)? size = null;
        long sent = from;
        while (true)
        {
            Task changed = source.Changed;
            bool isEnded = source.IsEnded, isLeaving = source.IsLeaving;
            long length = source.Length;
            if (source.Size is { } wanted && wanted != size)
            {
                await new InputFrame(InputFrameKind.Resize, ((long)wanted.Columns << 16) | (long)wanted.Rows, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
                size = wanted;
            }

            int read = sent < length ? await source.ReadAsync(sent, buffer.AsMemory(InputFrame.HeaderBytes), cancellationToken).ConfigureAwait(false) : 0;
            if (read > 0)
            {
                new InputFrame(InputFrameKind.Data, sent, read).Write(buffer);
                await stream.WriteAsync(buffer.AsMemory(0, InputFrame.HeaderBytes + read), cancellationToken).ConfigureAwait(false);
                sent += read;
                continue;
            }

            if (isEnded && sent >= length)
            {
                await new InputFrame(InputFrameKind.End, sent, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (isLeaving && sent >= length)
            {
                await new InputFrame(InputFrameKind.Leave, sent, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
                return;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
