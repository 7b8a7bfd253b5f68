using Akka.Actor;

namespace Simulation.World;

/// <summary>Something outside of an actor system that is told messages like an actor.</summary>
/// <param name="path">With the address of the device it is on.</param>
internal sealed class SimRef(ExtendedActorSystem system, ActorPath path, Action<object, IActorRef> told) : MinimalActorRef
{
    public override ActorPath Path => path;

    public override IActorRefProvider Provider => system.Provider;

    protected override void TellInternal(object message, IActorRef sender) => told(message, sender);
}
