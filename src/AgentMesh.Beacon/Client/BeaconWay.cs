using AgentMesh.Transport;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Beacon.Client;

/// <summary>A connection to a beacon, and the WebSocket that it began over. Owns both.</summary>
internal sealed class BeaconWay(MeshConnection connection, WebSocketTunnel? tunnel) : IAsyncDisposable
{
    public MeshConnection Connection => connection;

    /// <summary>There is a WebSocket, in use or beside a path by UDP.</summary>
    public bool HasTunnel { get; private set; } = tunnel is not null;

    /// <summary>Packets go over the WebSocket.</summary>
    public bool IsTunnelled => connection.Path.Kind == MeshPathInfo.Tunnel;

    public void CloseTunnel()
    {
        HasTunnel = false;
        tunnel?.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await connection.CloseAsync(0, "done").ConfigureAwait(false);
        CloseTunnel();
    }
}
