using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Reach;

/// <summary>For whom this device relays. Thread-safe.</summary>
internal sealed class RelayPolicy(RelayOffer offer, ReachEvidence evidence)
{
    /// <summary>A device has asked over a connection whose path is direct.</summary>
    /// <param name="isIncoming">That device opened it.</param>
    /// <param name="seenAt">Where that device sees this one; null where it does not tell.</param>
    public bool MayUse(DeviceId device, bool isIncoming, IPEndPoint? seenAt)
    {
        if (isIncoming)
        {
            evidence.Come(device);
        }

        // Who opened the connection is chance: a relay that is started again opens all of its connections itself.
        return offer == RelayOffer.On || isIncoming || evidence.IsForwarded() || (seenAt is not null && evidence.IsOwn(seenAt)) || evidence.HasCome(device);
    }
}
