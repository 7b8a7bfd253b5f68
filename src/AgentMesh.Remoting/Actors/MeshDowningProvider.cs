using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.Remoting;

/// <summary>
/// Gives up members that stayed unreachable for <c>akka.cluster.mesh-downing.down-after</c>. Both sides of a split may do so: every home lives on
/// one device, so nothing can be written twice, and devices that meet again become one cluster by themselves.
/// </summary>
public sealed class MeshDowningProvider(ActorSystem system, Cluster cluster) : IDowningProvider
{
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    public Props DowningActorProps => Props.Create(() => new MeshDowning(cluster, system.Settings.Config.GetTimeSpan("akka.cluster.mesh-downing.down-after", TimeSpan.FromSeconds(2), true)));
}

internal sealed class MeshDowning : ReceiveActor, IWithTimers
{
    private readonly Cluster _cluster;

    public MeshDowning(Cluster cluster, TimeSpan downAfter)
    {
        _cluster = cluster;
        Receive<ClusterEvent.CurrentClusterState>(state =>
        {
            foreach (Member member in state.Unreachable)
            {
                Timers.StartSingleTimer(member.UniqueAddress, new GiveUp(member.UniqueAddress), downAfter);
            }
        });
        Receive<ClusterEvent.UnreachableMember>(lost => Timers.StartSingleTimer(lost.Member.UniqueAddress, new GiveUp(lost.Member.UniqueAddress), downAfter));
        Receive<ClusterEvent.ReachableMember>(back => Timers.Cancel(back.Member.UniqueAddress));
        Receive<ClusterEvent.MemberRemoved>(gone => Timers.Cancel(gone.Member.UniqueAddress));
        Receive<GiveUp>(order =>
        {
            if (_cluster.State.Unreachable.Any(member => member.UniqueAddress == order.Node))
            {
                _cluster.Down(order.Node.Address);
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => _cluster.Subscribe(
        Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IReachabilityEvent), typeof(ClusterEvent.MemberRemoved));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private sealed record GiveUp(UniqueAddress Node) : INoSerializationVerificationNeeded;
}
