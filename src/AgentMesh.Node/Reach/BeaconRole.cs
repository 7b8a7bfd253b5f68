using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Beacon.Web;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Reach;

/// <summary>A beacon beside the node, in its process: with an identity of its own, the one that <c>agentmesh beacon</c> would have here, so that it can become one of its own.</summary>
internal sealed class BeaconRole : IAsyncDisposable
{
    /// <summary>In the data directory.</summary>
    public const string DirectoryName = "beacon";

    private readonly BeaconServer _server;

    private BeaconRole(BeaconServer server) => _server = server;

    /// <param name="isOfMesh">Of the id of a key: at a beacon devices go by those. Asked again every second: a device that is put out of the mesh is sent away.</param>
    /// <exception cref="Errors.MeshException">AM0130, AM0154: an address; AM0102 to AM0104: the identity.</exception>
    public static async Task<BeaconRole> StartAsync(BeaconRoleSettings settings, string directory, Func<DeviceId, bool> isOfMesh, TimeProvider time)
    {
        PrivateDirectory.Create(directory);
        var beacon = new BeaconSettings
        {
            DataDirectory = directory,
            Listen = settings.Listen,
            Web = settings.Tls ? BeaconWebSettings.WherePossible : new BeaconWebSettings(),
            Admits = settings.ForMesh ? isOfMesh : null,
            Limits = new BeaconLimits { DevicesMax = settings.DevicesMax, BytesPerSecond = settings.BytesPerSecond, TotalBytesPerSecond = settings.TotalBytesPerSecond },
        };
        return new BeaconRole(await BeaconServer.StartAsync(beacon, time).ConfigureAwait(false));
    }

    public BeaconRoleView View()
    {
        BeaconCounters counters = _server.Counters;
        return new BeaconRoleView(
            _server.LineOf("HOST"), [.. _server.Addresses.Select(address => address.ToString())], [.. _server.TlsAddresses.Select(address => address.ToString())], counters.Devices, counters.Channels, counters.BytesRelayed);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
