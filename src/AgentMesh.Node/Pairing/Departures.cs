using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Pairing;

/// <summary>
/// Ends the connection of every device that is not admitted any more, whoever put it out: it was forgotten here, by another device that is believed,
/// or it was in the mesh only by the word of one that is out itself.
/// </summary>
internal sealed class Departures : IAsyncDisposable
{
    private readonly DeviceRegistry _registry;
    private readonly IAdmission _admission;
    private readonly ConnectionHub _hub;
    private readonly Lock _gate = new();
    private HashSet<DeviceId> _admitted;
    private Task _closing = Task.CompletedTask;

    public Departures(DeviceRegistry registry, IAdmission admission, ConnectionHub hub)
    {
        _registry = registry;
        _admission = admission;
        _hub = hub;
        _admitted = [.. registry.Devices.Keys];
        registry.Changed += Look;
        hub.Connected += Check;
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Changed -= Look;
        _hub.Connected -= Check;
        await _closing.ConfigureAwait(false);
    }

    private void Look()
    {
        lock (_gate)
        {
            HashSet<DeviceId> before = _admitted;
            _admitted = [.. _registry.Devices.Keys];
            foreach (DeviceId gone in before.Except(_admitted))
            {
                Close(gone);
            }

            // Another key speaks for the device by now.
            foreach (DeviceId old in _admitted.Where(device => _hub.Find(device) is { } connection && !_registry.IsAdmitted(connection.RemoteKey)))
            {
                Close(old);
            }
        }
    }

    /// <summary>The handshake asked before; the answer may have changed since. What this device opened itself is the business of who did.</summary>
    private void Check(IMeshConnection connection)
    {
        lock (_gate)
        {
            if ((!connection.IsInitiator || _registry.Devices.ContainsKey(connection.RemoteId)) && !_admission.IsAdmitted(connection.RemoteKey))
            {
                Close(connection.RemoteId);
            }
        }
    }

    private void Close(DeviceId device) => _closing = Task.WhenAll(_closing, _hub.DisconnectAsync(device, 0, "not admitted any more").AsTask());
}
