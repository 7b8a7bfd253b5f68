using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Sharding;

/// <summary>From which device a message came.</summary>
public static class Origin
{
    /// <summary>
    /// Actors of the own device have local references; those of others carry their device, which remoting has checked (<c>own-senders-only</c>). A message
    /// without a sender may be from anywhere: <c>default</c>.
    /// </summary>
    public static DeviceId Of(IActorRef sender, ActorSystem system, DeviceId self)
    {
        if (sender.IsNobody() || sender.Equals(system.DeadLetters))
        {
            return default;
        }

        Address from = sender.Path.Address;
        return from.HasLocalScope ? self : DeviceId.TryParse(from.Host, out DeviceId device) ? device : default;
    }
}
