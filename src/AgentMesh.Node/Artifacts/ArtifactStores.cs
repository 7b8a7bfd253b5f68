using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;

namespace AgentMesh.Node.Artifacts;

/// <summary>The stores that this device can reach by itself: its own, and that of the pool that it is a member of.</summary>
internal sealed class ArtifactStores(HomeId self, IArtifactStore device, HomeId? poolHome, IArtifactStore? pool)
{
    public IArtifactStore Device => device;

    public IArtifactStore? Pool => pool;

    /// <summary>Null for the home of others.</summary>
    public IArtifactStore? Of(HomeId home) => home == self ? device : pool is not null && home == poolHome ? pool : null;

    /// <summary>Has the content in the one that stands in the other, under the same name.</summary>
    /// <exception cref="MeshException">AM0440 to AM0444 of <paramref name="to"/>; AM0442: it is in neither.</exception>
    public static async Task CopyAsync(StoredArtifact artifact, IArtifactStore from, IArtifactStore to, CancellationToken cancellationToken)
    {
        ArtifactUpload upload = await to.BeginAsync(artifact.Hash, artifact.Size, cancellationToken).ConfigureAwait(false);
        await using (upload.ConfigureAwait(false))
        {
            if (!upload.IsThere)
            {
                Stream content = await from.OpenReadAsync(artifact.Hash, cancellationToken).ConfigureAwait(false);
                await using (content.ConfigureAwait(false))
                {
                    await SendAsync(content, upload, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        await to.NameAsync(artifact, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends the rest of a content, and has it put in its place.</summary>
    public static async Task SendAsync(Stream content, ArtifactUpload upload, CancellationToken cancellationToken)
    {
        content.Position = upload.Offset;
        byte[] piece = new byte[Output.OutputFrame.DataBytesMax];
        int read;
        while (!upload.IsThere && (read = await content.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
        {
            await upload.AppendAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }
}
