using System.Net;
using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;

namespace AgentMesh.Node.Services;

/// <summary>Connects because somebody asks for it, also where this device does not by itself.</summary>
internal sealed class ConnectService(ConnectionHub hub, LinkService links, DeviceDirectory directory, Devices devices, TimeProvider time)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <exception cref="MeshException">AM0208, AM0302, AM0303; AM0120 or that of the attempt: nobody answers.</exception>
    public Task<NamedDevice> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken) => request switch
    {
        { Peer: { } peer, Host: null } => ToDeviceAsync(devices.One(peer), cancellationToken),
        { Host: { } host, Peer: null } => AtAsync(new HostPort(host, request.Port), cancellationToken),
        _ => throw new MeshException(NodeErrors.ControlRequest, "to connect, either 'host' or 'peer' is needed", "see docs/control-api.md"),
    };

    private async Task<NamedDevice> ToDeviceAsync(NamedDevice device, CancellationToken cancellationToken)
    {
        if (device.IsSelf)
        {
            throw new MeshException(NodeErrors.ControlRequest, "this device needs no connection to itself", "name another device");
        }

        directory.TryGet(device.Id, out _, out IReadOnlyList<IPEndPoint> addresses);
        Task dialling = hub.WhyNotDialled(device.Id) is null ? Task.CompletedTask : hub.DialAtAsync(device.Id, addresses);
        links.Hurry(device.Id);
        bool isLinked = await UntilAsync(() => links.IsLinked(device.Id), cancellationToken).ConfigureAwait(false);
        if (!isLinked)
        {
            await dialling.ConfigureAwait(false);
            throw new MeshException(
                Protocol.ProtocolErrors.NoAnswer,
                $"{device.Name} does not answer{(links.Problem(device.Id) is { } why ? $": {why}" : "")}",
                "start its node with 'agentmesh up' there; 'agentmesh connect HOST' tries another address");
        }

        _ = dialling.ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return device;
    }

    private async Task<NamedDevice> AtAsync(HostPort place, CancellationToken cancellationToken)
    {
        IReadOnlyList<IPEndPoint> addresses = LocalAddresses.Resolve(place);
        if (addresses.Count == 0)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"'{place.Host}' is no host or address", "write an IP address or a name that resolves; a device of the mesh is '@NAME'");
        }

        foreach (DeviceId device in devices.All.Where(device => !device.IsSelf).Select(device => device.Id))
        {
            directory.Told(device, addresses);
            if (hub.WhyNotDialled(device) is not null)
            {
                // Here, and nowhere else.
                _ = hub.DialAtAsync(device, addresses).ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }

            links.Hurry(device);
        }

        NamedDevice? found = null;
        await UntilAsync(
            () => (found = hub.Live.FirstOrDefault(connection => addresses.Contains(connection.Path.Remote)) is { } live ? devices.All.FirstOrDefault(device => device.Id == live.RemoteId) : null) is not null,
            cancellationToken).ConfigureAwait(false);
        return found ?? throw new MeshException(
            Protocol.ProtocolErrors.NoAnswer, $"no device of this mesh answers at {place.Host}:{place.Port}", "devices answer only those they know: pair first with 'agentmesh invite' there and 'agentmesh join CODE' here");
    }

    private async Task<bool> UntilAsync(Func<bool> reached, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        bool isReached;
        while (!(isReached = reached()) && time.GetElapsedTime(start) < Within)
        {
            await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false);
        }

        return isReached;
    }
}
