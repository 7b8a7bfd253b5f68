using AgentMesh.Protocol.Identity;
using Akka.Actor.Setup;

namespace AgentMesh.Remoting;

/// <summary>Gives the connections of this device to an actor system; the hub outlives it.</summary>
public sealed class MeshTransportSetup(ConnectionHub hub, TimeProvider time) : Setup
{
    public TimeProvider Time { get; } = time;

    public ConnectionHub Hub { get; } = hub;

    /// <summary>Whether this device, or one that it is in touch with, is in touch with a device; see <see cref="MeshDowningProvider"/>.</summary>
    public Func<DeviceId, bool> IsInTouch { get; init; } = static _ => false;
}
