using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Remoting;

/// <summary>What this device knows about others: their keys, and where they were last seen. Thread-safe; answers from memory.</summary>
public interface IPeerDirectory
{
    /// <param name="addresses">Candidates, best first; may be empty, then only the device itself can open a connection.</param>
    /// <returns>False for a device that is not admitted.</returns>
    bool TryGet(DeviceId id, out DevicePublicKey key, out IReadOnlyList<IPEndPoint> addresses);
}
