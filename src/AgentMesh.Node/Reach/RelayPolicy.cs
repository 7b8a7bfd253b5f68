using System.Collections.Concurrent;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Reach;

/// <summary>For whom this device relays. Thread-safe. Holds one entry for each device of the mesh at most.</summary>
internal sealed class RelayPolicy(RelayOffer offer)
{
    private readonly ConcurrentDictionary<DeviceId, bool> _hasReachedThis = new();

    /// <summary>A device has asked over a connection whose path is direct.</summary>
    /// <param name="isIncoming">That device opened it.</param>
    public bool MayUse(DeviceId device, bool isIncoming)
    {
        // Once reached, always reachable: after a restart of the other device the connection may be one that this device opened, by the way that the other one had opened before.
        if (isIncoming)
        {
            _hasReachedThis[device] = true;
        }

        return offer == RelayOffer.On || _hasReachedThis.ContainsKey(device);
    }
}
