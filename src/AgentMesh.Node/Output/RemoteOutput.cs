using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Output;

/// <summary>Reads the output of a job from its home on another device, each stream by itself, and goes on where it was when a connection was lost.</summary>
internal sealed class RemoteOutput(ConnectionHub hub, TimeProvider time)
{
    private const int AheadMax = 16;
    private const int RetriesMax = 30;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <param name="job">A whole id, or what the home finds it by.</param>
    /// <param name="stream">Null for stdout and stderr.</param>
    /// <param name="attempt">Null for the newest; following, also for those that come after it.</param>
    /// <exception cref="MeshException">AM0307, AM0364, or AM0365: the home was not reached for half a minute.</exception>
    public async IAsyncEnumerable<OutputPiece> ReadAsync(
        DeviceId home, string job, OutputStreamKind? stream, int? attempt, OutputStart from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        OutputStreamKind[] streams = stream is { } one ? [one] : [OutputStreamKind.Stdout, OutputStreamKind.Stderr];
        var pieces = Channel.CreateBounded<OutputPiece>(AheadMax);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task reading = Task.Run(
            async () =>
            {
                Task all = Task.WhenAll(streams.Select(kind => ReadStreamAsync(home, job, kind, attempt, from, follow, pieces.Writer, over.Token)));
                await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pieces.Writer.TryComplete(all.Exception?.InnerException);
            },
            CancellationToken.None);
        try
        {
            await foreach (OutputPiece piece in pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return piece;
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadStreamAsync(
        DeviceId home, string job, OutputStreamKind kind, int? only, OutputStart from, bool follow, ChannelWriter<OutputPiece> pieces, CancellationToken cancellationToken)
    {
        var place = new Place { From = from };
        for (int tries = 0; ; tries++)
        {
            int before = place.Pieces;
            try
            {
                if (await TryReadAsync(home, new OutputRequest(job, only ?? 0, (byte)kind, place.From.Lines ?? place.From.Offset, follow, place.From.Lines is not null), kind, place, pieces, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }
            }
            catch (StreamAbortedException old) when (old.Code == StreamCodes.UnknownService)
            {
                throw new MeshException(MeshErrors.OutputLost, "the node of that device is older than this one and gives nobody output", "update AgentMesh there, or read it there");
            }
            catch (Exception error) when (error is IOException or MeshException { Code: not MeshErrors.UnknownJob and not MeshErrors.OutputDenied and not MeshErrors.OutputLost })
            {
                // The home is away for a moment.
            }

            tries = place.Pieces != before ? 0 : tries;
            if (tries >= RetriesMax)
            {
                throw new MeshException(MeshErrors.OutputLost, "the home of the job was not reached", "when 'agentmesh peers' shows it connected, read on with --from");
            }

            await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>False when it is to be tried again.</returns>
    private async Task<bool> TryReadAsync(DeviceId home, OutputRequest request, OutputStreamKind kind, Place place, ChannelWriter<OutputPiece> pieces, CancellationToken cancellationToken)
    {
        IMeshStream stream = await hub.OpenAsync(home, OutputServices.Read, StreamPriority.Bulk, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                await request.SendAsync(stream, cancellationToken).ConfigureAwait(false);
                byte[] header = new byte[OutputFrame.HeaderBytes];
                while (await OutputFrame.ReadAsync(stream, header, cancellationToken).ConfigureAwait(false) is { } frame)
                {
                    switch (frame.Kind)
                    {
                        case OutputFrameKind.End:
                            return true;
                        case OutputFrameKind.Refuse:
                            throw Refused((OutputRefusal)Math.Min(frame.Offset, byte.MaxValue), request.JobId);
                        case OutputFrameKind.Attempt when place.Attempt != 0 && place.Attempt != frame.Offset && place.From.Offset > 0:
                            // A newer attempt began while nobody read: from its beginning.
                            (place.Attempt, place.From) = ((int)frame.Offset, default);
                            return false;
                        case OutputFrameKind.Attempt:
                            (place.Attempt, place.From) = ((int)frame.Offset, place.Attempt == 0 ? place.From : default);
                            break;
                        case OutputFrameKind.Data when frame.Stream != (byte)kind:
                            throw new MeshException(MeshErrors.OutputLost, "the node of that device is older than this one and gives nobody events", "update AgentMesh there, or read them there");
                        case OutputFrameKind.Data:
                            byte[] data = new byte[frame.Length];
                            if (!await stream.TryFillAsync(data, cancellationToken).ConfigureAwait(false))
                            {
                                return false;
                            }

                            await pieces.WriteAsync(new OutputPiece(place.Attempt, kind, frame.Offset, data), cancellationToken).ConfigureAwait(false);
                            place.From = frame.Offset + (kind == OutputStreamKind.Events ? 1 : frame.Length);
                            place.Pieces++;
                            break;
                    }
                }

                return false;
            }
            finally
            {
                stream.Abort(StreamCodes.Done);
            }
        }
    }

    private static MeshException Refused(OutputRefusal why, string job) => why switch
    {
        OutputRefusal.NotYours => new MeshException(MeshErrors.OutputDenied, $"this device may not read the output of job {job}", "on the home of the job: agentmesh grant THIS-DEVICE logs"),
        OutputRefusal.StoreFailed => new MeshException(MeshErrors.NoAnswer, "the home of the job is busy", "try again in a moment"),
        _ => new MeshException(MeshErrors.UnknownJob, $"there is no job '{job}' there", "'agentmesh job list' there shows its jobs; the whole id is in 'job show'"),
    };

    private sealed class Place
    {
        public OutputStart From { get; set; }

        public int Attempt { get; set; }

        public int Pieces { get; set; }
    }
}
