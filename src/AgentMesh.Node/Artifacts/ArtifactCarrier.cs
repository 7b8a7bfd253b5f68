using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Node.Artifacts;

/// <summary>The executing device's side. Tries again until it is done, is cancelled, or the home says that it never will be.</summary>
/// <param name="placeOf">The device that takes for a home which is none of this device: null while none is in reach.</param>
internal sealed class ArtifactCarrier(ArtifactStores stores, Func<HomeId, DeviceId?> placeOf, ConnectionHub hub, TimeProvider time) : IArtifactCarrier
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    /// <summary>Room may be made meanwhile, or a disk be freed.</summary>
    private static readonly TimeSpan RoomWithin = TimeSpan.FromMinutes(1);

    public Task DeliverAsync(AttemptKey key, ArtifactRef artifact, string file, CancellationToken cancellationToken) => RepeatAsync(
        artifact.Name,
        cancel => stores.Of(key.Job.Home) is { } here ? DeliverHereAsync(here, key, artifact, file, cancel) : DeliverThereAsync(key, artifact, file, cancel),
        cancellationToken);

    public Task FetchAsync(AttemptKey key, ArtifactInput input, string file, CancellationToken cancellationToken) => RepeatAsync(
        input.Name,
        cancel => stores.Of(key.Job.Home) is { } here ? FetchHereAsync(here, input, file, cancel) : FetchThereAsync(key, input, file, cancel),
        cancellationToken);

    private async Task RepeatAsync(string name, Func<CancellationToken, Task<ArtifactRefusal?>> once, CancellationToken cancellationToken)
    {
        TimeSpan wait = RetryMin;
        long? noRoomSince = null;
        while (true)
        {
            ArtifactRefusal? refusal;
            try
            {
                refusal = await once(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when ((error is MeshException or StreamAbortedException || error is OperationCanceledException) && !cancellationToken.IsCancellationRequested)
            {
                // The home is away.
                refusal = ArtifactRefusal.NotNow;
            }

            switch (refusal)
            {
                case null:
                    return;
                case ArtifactRefusal.NotNow or ArtifactRefusal.Damaged:
                    break;
                case ArtifactRefusal.NoRoom when noRoomSince is null || time.GetElapsedTime(noRoomSince.Value) < RoomWithin:
                    noRoomSince ??= time.GetTimestamp();
                    break;
                default:
                    throw Refused(name, refusal.Value);
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, RetryMax.Ticks));
        }
    }

    private async Task<ArtifactRefusal?> DeliverHereAsync(IArtifactStore store, AttemptKey key, ArtifactRef artifact, string file, CancellationToken cancel)
    {
        try
        {
            ArtifactUpload upload = await store.BeginAsync(artifact.Hash.Hex, artifact.Size, cancel).ConfigureAwait(false);
            await using (upload.ConfigureAwait(false))
            {
                FileStream content = Opened(file);
                await using (content.ConfigureAwait(false))
                {
                    await ArtifactStores.SendAsync(content, upload, cancel).ConfigureAwait(false);
                }
            }

            await store.NameAsync(new StoredArtifact(key.Job.ToString(), key.Attempt, artifact.Name, artifact.Hash.Hex, artifact.Size, time.GetUtcNow()), cancel).ConfigureAwait(false);
            return null;
        }
        catch (MeshException error)
        {
            return ArtifactRefusals.WhenTaking(error);
        }
    }

    private async Task<ArtifactRefusal?> DeliverThereAsync(AttemptKey key, ArtifactRef artifact, string file, CancellationToken cancel)
    {
        IMeshStream stream = await hub.OpenAsync(PlaceOf(key.Job.Home), ArtifactServices.Append, StreamPriority.Bulk, cancel).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            await ArtifactRequest.Of(key, artifact.Name, artifact.Hash, artifact.Size, 0).SendAsync(stream, cancel).ConfigureAwait(false);
            byte[] header = new byte[OutputFrame.HeaderBytes];
            OutputFrame? begin = await OutputFrame.ReadAsync(stream, header, cancel).ConfigureAwait(false);
            if (begin is not { Kind: OutputFrameKind.Acknowledge, Offset: var offset } || offset > artifact.Size)
            {
                return WhyOf(begin);
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            Task<OutputFrame?> answering = AnswerAsync(stream, over, cancel);
            try
            {
                await SendAsync(stream, file, offset, over.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // The home has answered before it had everything: it does not take it.
            }

            return await answering.ConfigureAwait(false) is { Kind: OutputFrameKind.End } ? null : WhyOf(await answering.ConfigureAwait(false));
        }
    }

    private static async Task<OutputFrame?> AnswerAsync(IMeshStream stream, CancellationTokenSource over, CancellationToken cancel)
    {
        try
        {
            return await OutputFrame.ReadAsync(stream, new byte[OutputFrame.HeaderBytes], cancel).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(IMeshStream stream, string file, long offset, CancellationToken cancel)
    {
        FileStream content = Opened(file);
        await using (content.ConfigureAwait(false))
        {
            content.Position = offset;
            byte[] frame = new byte[OutputFrame.HeaderBytes + OutputFrame.DataBytesMax];
            int read;
            while ((read = await content.ReadAsync(frame.AsMemory(OutputFrame.HeaderBytes), cancel).ConfigureAwait(false)) > 0)
            {
                new OutputFrame(OutputFrameKind.Data, 0, content.Position - read, read).Write(frame);
                await stream.WriteAsync(frame.AsMemory(0, OutputFrame.HeaderBytes + read), cancel).ConfigureAwait(false);
            }
        }

        await stream.CompleteWritesAsync().ConfigureAwait(false);
    }

    private async Task<ArtifactRefusal?> FetchHereAsync(IArtifactStore store, ArtifactInput input, string file, CancellationToken cancel)
    {
        try
        {
            Stream content = await store.OpenReadAsync(input.Hash.Hex, cancel).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
            {
                FileStream to = Created(file, FileMode.Create);
                await using (to.ConfigureAwait(false))
                {
                    await content.CopyToAsync(to, cancel).ConfigureAwait(false);
                }
            }

            return await IsRightAsync(file, input, cancel).ConfigureAwait(false) ? null : ArtifactRefusal.Gone;
        }
        catch (MeshException error) when (error.Code == JournalErrors.ArtifactGone)
        {
            return ArtifactRefusal.Gone;
        }
    }

    private async Task<ArtifactRefusal?> FetchThereAsync(AttemptKey key, ArtifactInput input, string file, CancellationToken cancel)
    {
        string partial = file + ".part";
        FileStream to = Created(partial, FileMode.OpenOrCreate);
        await using (to.ConfigureAwait(false))
        {
            if (to.Length > input.Size)
            {
                to.SetLength(0);
            }

            to.Position = to.Length;
            IMeshStream stream = await hub.OpenAsync(PlaceOf(key.Job.Home), ArtifactServices.Read, StreamPriority.Bulk, cancel).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await ArtifactRequest.Of(key, input.Name, input.Hash, input.Size, to.Position).SendAsync(stream, cancel).ConfigureAwait(false);
                byte[] header = new byte[OutputFrame.HeaderBytes], data = new byte[OutputFrame.DataBytesMax];
                while (true)
                {
                    OutputFrame? frame = await OutputFrame.ReadAsync(stream, header, cancel).ConfigureAwait(false);
                    if (frame is { Kind: OutputFrameKind.End })
                    {
                        break;
                    }

                    if (frame is not { Kind: OutputFrameKind.Data, Length: > 0 and var length } || frame.Value.Offset != to.Position || to.Position + length > input.Size
                        || !await stream.TryFillAsync(data.AsMemory(0, length), cancel).ConfigureAwait(false))
                    {
                        return WhyOf(frame);
                    }

                    await to.WriteAsync(data.AsMemory(0, length), cancel).ConfigureAwait(false);
                }
            }
        }

        if (!await IsRightAsync(partial, input, cancel).ConfigureAwait(false))
        {
            File.Delete(partial);
            return ArtifactRefusal.Damaged;
        }

        File.Move(partial, file, overwrite: true);
        return null;
    }

    /// <summary>Neither the home nor the way is believed.</summary>
    private static async Task<bool> IsRightAsync(string file, ArtifactInput input, CancellationToken cancel)
    {
        FileStream content = Opened(file);
        await using (content.ConfigureAwait(false))
        {
            return content.Length == input.Size && ContentHash.Of(await SHA256.HashDataAsync(content, cancel).ConfigureAwait(false)) == input.Hash;
        }
    }

    private DeviceId PlaceOf(HomeId home) => placeOf(home) ?? throw new MeshException(ArtifactErrors.NotDelivered, $"no member of {home} is in reach", "nothing needs to be done: it is tried again");

    private static FileStream Opened(string file) => new(file, FileMode.Open, FileAccess.Read, FileShare.Read, OutputFrame.DataBytesMax, useAsync: true);

    private static FileStream Created(string file, FileMode mode) => new(file, mode, FileAccess.Write, FileShare.None, bufferSize: 1, useAsync: true);

    /// <summary>Also for an answer that is none: the stream broke off.</summary>
    private static ArtifactRefusal WhyOf(OutputFrame? frame) =>
        frame is { Kind: OutputFrameKind.Refuse, Offset: >= (long)ArtifactRefusal.UnknownJob and <= (long)ArtifactRefusal.Gone and var why } ? (ArtifactRefusal)why : ArtifactRefusal.NotNow;

    private static MeshException Refused(string name, ArtifactRefusal why) => why switch
    {
        ArtifactRefusal.TooLarge => new MeshException(JournalErrors.ArtifactTooLarge, $"{name} is larger than the home of the job takes", "raise agentmesh.artifacts.size-max there"),
        ArtifactRefusal.NoRoom => new MeshException(JournalErrors.ArtifactStoreFull, $"the home of the job has no room for {name}", "remove some there with 'agentmesh artifact rm', or free space"),
        ArtifactRefusal.Gone => new MeshException(JournalErrors.ArtifactGone, $"the content of {name} is not in the store of the job's home any more", "run what made it again; 'agentmesh artifact list' there shows what is kept"),
        _ => new MeshException(ArtifactErrors.NotDelivered, $"the home of the job does not deal in {name} with this device", "nothing needs to be done: the attempt is not wanted any more"),
    };
}
