using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Output;

/// <summary>The output of a job that is at home here, for a device that may read it.</summary>
/// <exception cref="MeshException">There is no such job (any more), or AM0364.</exception>
internal delegate IAsyncEnumerable<OutputPiece> ReadForDevice(DeviceId reader, OutputRequest request, CancellationToken cancellationToken);

/// <summary>Gives other devices the output of jobs that are at home here; service <c>output-read</c>.</summary>
internal sealed class OutputServing(ReadForDevice read)
{
    public async Task ServeAsync(DeviceId reader, IMeshStream stream, CancellationToken cancellationToken)
    {
        if (await OutputRequest.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not { } request)
        {
            stream.Abort(StreamCodes.ProtocolError);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task leaving = LeftAsync(stream, over);
        try
        {
            await SendAsync(read(reader, request, over.Token), stream, over.Token).ConfigureAwait(false);
        }
        catch (MeshException problem)
        {
            OutputRefusal why = problem.Code switch
            {
                MeshErrors.OutputDenied => OutputRefusal.NotYours,
                MeshErrors.NoAnswer or NodeErrors.NodeStarting => OutputRefusal.StoreFailed,
                _ => OutputRefusal.UnknownJob,
            };
            await new OutputFrame(OutputFrameKind.Refuse, 0, (long)why, 0).SendAsync(stream, over.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The reader has gone.
        }

        await stream.CompleteWritesAsync().ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await leaving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task SendAsync(IAsyncEnumerable<OutputPiece> pieces, IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[OutputFrame.HeaderBytes + OutputFrame.DataBytesMax];
        int attempt = 0;
        await foreach (OutputPiece piece in pieces.ConfigureAwait(false))
        {
            if (piece.Attempt != attempt)
            {
                attempt = piece.Attempt;
                await new OutputFrame(OutputFrameKind.Attempt, 0, attempt, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
            }

            new OutputFrame(OutputFrameKind.Data, (byte)piece.Stream, piece.Offset, piece.Data.Length).Write(buffer);
            piece.Data.CopyTo(buffer.AsMemory(OutputFrame.HeaderBytes));
            await stream.WriteAsync(buffer.AsMemory(0, OutputFrame.HeaderBytes + piece.Data.Length), cancellationToken).ConfigureAwait(false);
        }

        await new OutputFrame(OutputFrameKind.End, 0, 0, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A reader says nothing after its request: what comes is its end.</summary>
    private static async Task LeftAsync(IMeshStream stream, CancellationTokenSource over)
    {
        try
        {
            await stream.ReadAsync(new byte[1], over.Token).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // It is over either way.
        }

        await over.CancelAsync().ConfigureAwait(false);
    }
}
