using Akka.Actor.Setup;

namespace AgentMesh.Remoting;

/// <summary>Gives the connections of this device to an actor system; the hub outlives it.</summary>
public sealed class MeshTransportSetup(ConnectionHub hub, TimeProvider time) : Setup
{
    public TimeProvider Time { get; } = time;

    public ConnectionHub Hub { get; } = hub;
}
