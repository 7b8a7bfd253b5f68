using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Node.Artifacts;

/// <summary>Says whether a device runs this attempt for this home, and shows the job.</summary>
internal delegate Task<(OutputRefusal? Refusal, JobSpec? Spec)> AttemptPermission(string jobId, int attempt, DeviceId from, CancellationToken cancellationToken);

/// <summary>The home's side: takes artifacts in, and gives inputs out, for the device that runs the attempt and for no other.</summary>
internal sealed class ArtifactIntake(ArtifactStores stores, AttemptPermission permission, TimeProvider time)
{
    /// <summary>Serves one <c>artifact-append</c> stream.</summary>
    public async Task TakeAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken)
    {
        if (await ArtifactRequest.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not { } request)
        {
            stream.Abort((ulong)ArtifactRefusal.UnknownJob);
            return;
        }

        (OutputRefusal? refusal, JobSpec? spec) = await permission(request.Job.ToString(), request.Attempt, connection.RemoteId, cancellationToken).ConfigureAwait(false);
        if (refusal is not null || spec!.Artifacts.All(artifact => artifact.Name != request.Name))
        {
            await RefuseAsync(stream, WhyOf(refusal), cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            IArtifactStore store = StoreOf(request);
            await ReceiveAsync(store, stream, request, cancellationToken).ConfigureAwait(false);
            await store.NameAsync(new StoredArtifact(request.Job.ToString(), request.Attempt, request.Name, request.Hash.Hex, request.Size, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            await new OutputFrame(OutputFrameKind.End, 0, request.Size, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
            await stream.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch (MeshException error)
        {
            await RefuseAsync(stream, ArtifactRefusals.WhenTaking(error), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Serves one <c>artifact-read</c> stream.</summary>
    public async Task GiveAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken)
    {
        if (await ArtifactRequest.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not { } request)
        {
            stream.Abort((ulong)ArtifactRefusal.UnknownJob);
            return;
        }

        (OutputRefusal? refusal, JobSpec? spec) = await permission(request.Job.ToString(), request.Attempt, connection.RemoteId, cancellationToken).ConfigureAwait(false);
        if (refusal is not null || !spec!.Inputs.Contains(new ArtifactInput(request.Name, request.Hash, request.Size)))
        {
            await RefuseAsync(stream, WhyOf(refusal), cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            Stream file = await StoreOf(request).OpenReadAsync(request.Hash.Hex, cancellationToken).ConfigureAwait(false);
            await using (file.ConfigureAwait(false))
            {
                file.Position = request.Offset;
                byte[] frame = new byte[OutputFrame.HeaderBytes + OutputFrame.DataBytesMax];
                int read;
                while ((read = await file.ReadAsync(frame.AsMemory(OutputFrame.HeaderBytes), cancellationToken).ConfigureAwait(false)) > 0)
                {
                    new OutputFrame(OutputFrameKind.Data, 0, file.Position - read, read).Write(frame);
                    await stream.WriteAsync(frame.AsMemory(0, OutputFrame.HeaderBytes + read), cancellationToken).ConfigureAwait(false);
                }
            }

            await new OutputFrame(OutputFrameKind.End, 0, request.Size, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
            await stream.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch (MeshException error)
        {
            await RefuseAsync(stream, ArtifactRefusals.Of(error), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error) when (error is not StreamAbortedException)
        {
            await RefuseAsync(stream, ArtifactRefusal.NotNow, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Tells how much is there, takes the rest, and puts it in its place.</summary>
    private static async Task ReceiveAsync(IArtifactStore store, IMeshStream stream, ArtifactRequest request, CancellationToken cancellationToken)
    {
        ArtifactUpload upload = await store.BeginAsync(request.Hash.Hex, request.Size, cancellationToken).ConfigureAwait(false);
        await using (upload.ConfigureAwait(false))
        {
            await new OutputFrame(OutputFrameKind.Acknowledge, 0, upload.Offset, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
            byte[] header = new byte[OutputFrame.HeaderBytes], data = new byte[OutputFrame.DataBytesMax];
            while (!upload.IsThere && upload.Offset < request.Size)
            {
                if (await OutputFrame.ReadAsync(stream, header, cancellationToken).ConfigureAwait(false) is not { Kind: OutputFrameKind.Data, Length: > 0 } frame || frame.Offset != upload.Offset
                    || !await stream.TryFillAsync(data.AsMemory(0, frame.Length), cancellationToken).ConfigureAwait(false))
                {
                    // The rest comes over another stream.
                    throw new MeshException(JournalErrors.ArtifactNotStored, "the sender stopped", "nothing needs to be done: it goes on");
                }

                await upload.AppendAsync(data.AsMemory(0, frame.Length), cancellationToken).ConfigureAwait(false);
            }

            await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whoever is permitted is so by a home of this device.</summary>
    private IArtifactStore StoreOf(ArtifactRequest request) => stores.Of(request.Job.Home) ?? throw new InvariantException($"{request.Job.Home} is no home of this device");

    private static ArtifactRefusal WhyOf(OutputRefusal? refusal) => refusal switch
    {
        OutputRefusal.UnknownJob => ArtifactRefusal.UnknownJob,
        OutputRefusal.OlderAttempt => ArtifactRefusal.OlderAttempt,
        OutputRefusal.StoreFailed => ArtifactRefusal.NotNow,
        _ => ArtifactRefusal.NotYours,
    };

    private static async Task RefuseAsync(IMeshStream stream, ArtifactRefusal why, CancellationToken cancellationToken)
    {
        await new OutputFrame(OutputFrameKind.Refuse, 0, (long)why, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
        await stream.CompleteWritesAsync().ConfigureAwait(false);
    }
}
