using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Transport;

namespace AgentMesh.Node.Pairing;

/// <summary>
/// Joins by one invitation. Who holds it gets an answer while it is open, and is in when the inviter has taken the first packet after that: of two who were answered at the same moment one is, and an
/// inviter that is killed in between may have written it down or not. So this asks until it is certain.
/// </summary>
internal sealed class Joining(Invitation invitation, MeshEndpoint endpoint, TimeProvider time)
{
    private static readonly TimeSpan HeardWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan KnownWithin = TimeSpan.FromSeconds(2);

    /// <param name="isKnown">The inviter is in the mesh of this device already; that it takes a connection says nothing about the invitation.</param>
    /// <exception cref="MeshException">AM0111, AM0112, AM0120 and its like.</exception>
    public async Task<MeshConnection> RunAsync(bool isKnown, CancellationToken cancellationToken)
    {
        while (true)
        {
            MeshConnection? connection;
            try
            {
                connection = await AskAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (MeshException used) when (used.Code == ProtocolErrors.InvitationUsed && !isKnown)
            {
                // By this device itself, if the inviter knows it now.
                connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                if (connection is null)
                {
                    throw;
                }
            }

            if (await IsHeardAsync(connection, cancellationToken).ConfigureAwait(false))
            {
                return connection;
            }

            await connection.CloseAsync(0, "nothing was heard").ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>At the addresses of the invitation, and over a beacon as soon as one offers a way.</summary>
    private async Task<MeshConnection> AskAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        endpoint.Relays.Changed += TakeWay;
        try
        {
            Task<MeshConnection> joining = endpoint.JoinAsync(invitation, over.Token).AsTask();
            TakeWay(invitation.Key.Id);
            return await joining.ConfigureAwait(false);
        }
        finally
        {
            endpoint.Relays.Changed -= TakeWay;
            await over.CancelAsync().ConfigureAwait(false);
        }

        void TakeWay(DeviceId device)
        {
            IPEndPoint[] ways = device == invitation.Key.Id ? [.. endpoint.Relays.To(device).Select(channel => channel.Address)] : [];
            if (ways.Length > 0 && !over.IsCancellationRequested)
            {
                // Joins the attempt that is under way; whose end is that of the first.
                _ = endpoint.JoinAsync(invitation with { Addresses = ways }, over.Token).AsTask().ContinueWith(
                    static done => done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    /// <summary>As a device that the inviter knows.</summary>
    /// <returns>Null where it does not: it answers no strangers.</returns>
    private async Task<MeshConnection?> ConnectAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(KnownWithin, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            IReadOnlyList<IPEndPoint> addresses = [.. invitation.Addresses, .. endpoint.Relays.To(invitation.Key.Id).Select(channel => channel.Address)];
            return await endpoint.ConnectAsync(invitation.Key, addresses, null, patience.Token).ConfigureAwait(false) as MeshConnection;
        }
        catch (Exception error) when (error is MeshException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<bool> IsHeardAsync(MeshConnection connection, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(HeardWithin, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        MeshPathState? path = connection.Paths.FirstOrDefault(path => path.Role is MeshPathRole.InUse or MeshPathRole.InDoubt);
        return path is not null && await connection.MeasureAsync(path, patience.Token).ConfigureAwait(false) is not null;
    }
}
