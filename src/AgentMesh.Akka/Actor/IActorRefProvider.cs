using Akka.Actor.Internal;
using Akka.Serialization;

namespace Akka.Actor;

/// <summary>Makes references of actors and finds them by path. Remoting wraps the local one.</summary>
public interface IActorRefProvider
{
    IInternalActorRef RootGuardian { get; }

    LocalActorRef Guardian { get; }

    LocalActorRef SystemGuardian { get; }

    IActorRef DeadLetters { get; }

    IActorRef IgnoreRef { get; }

    ActorPath RootPath { get; }

    Settings Settings { get; }

    Deployer Deployer { get; }

    IInternalActorRef TempContainer { get; }

    /// <summary>Ends when every actor of the system has ended.</summary>
    Task TerminationTask { get; }

    Address DefaultAddress { get; }

    Information SerializationInformation { get; }

    IActorRef RootGuardianAt(Address address);

    void Init(ActorSystemImpl system);

    ActorPath TempPath();

    void RegisterTempActor(IInternalActorRef actorRef, ActorPath path);

    void UnregisterTempActor(ActorPath path);

    FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs);

    IInternalActorRef ActorOf(ActorSystemImpl system, Props props, IInternalActorRef supervisor, ActorPath path, bool systemService, Deploy deploy, bool lookupDeploy, bool async);

    /// <returns>A reference in any case: what is not there becomes dead letters.</returns>
    IActorRef ResolveActorRef(string path);

    /// <inheritdoc cref="ResolveActorRef(string)"/>
    IActorRef ResolveActorRef(ActorPath actorPath);

    /// <returns>The address under which the other system reaches this one; null when it cannot.</returns>
    Address GetExternalAddressFor(Address address);
}
