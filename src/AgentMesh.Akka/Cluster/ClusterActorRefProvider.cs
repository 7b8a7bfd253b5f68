using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Event;
using Akka.Remote;

namespace Akka.Cluster;

/// <summary>The provider of a system that is a member of a cluster.</summary>
public class ClusterActorRefProvider : RemoteActorRefProvider
{
    public ClusterActorRefProvider(string systemName, Settings settings, EventStream eventStream)
        : base(systemName, settings, eventStream)
    {
    }

    public override void Init(ActorSystemImpl system)
    {
        base.Init(system);
        Cluster.Get(system).StartDowning();
    }

    protected override IActorRef CreateRemoteWatcher(ActorSystemImpl system) => system.SystemActorOf(
        Props.Create(() => new ClusterRemoteWatcher(CreateRemoteWatcherFailureDetector(system), Remoting.Settings)).WithDispatcher(Dispatchers.InternalDispatcherId),
        Akka.Remote.RemoteWatcher.ActorName);
}

/// <summary>Leaves members to the cluster, which knows better when one is gone.</summary>
internal sealed class ClusterRemoteWatcher(IFailureDetectorRegistry<Address> detectors, RemotingSettings settings) : RemoteWatcher(detectors, settings)
{
    private readonly ActorSystem _system = Context.System;

    protected override bool IsWatchedByOthers(Address address) => Cluster.Get(_system).State.Members.Any(member => member.Address == address);
}
