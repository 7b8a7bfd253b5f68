using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.Remoting;

/// <summary>
/// Gives up members that stayed unreachable for <c>akka.cluster.mesh-downing.down-after</c>. Both sides of a split may do so: every home lives on
/// one device, so nothing can be written twice, and devices that meet again become one cluster by themselves.
/// </summary>
/// <remarks>
/// Where two devices do not hear each other and a third hears both, nobody is given up: it would join again by way of the third, and be given up again,
/// without end. <see cref="MeshTransportSetup.IsInTouch"/> tells; a connection to a device that is gone is noticed within seconds, so this ends.
/// </remarks>
public sealed class MeshDowningProvider(ActorSystem system, Cluster cluster) : IDowningProvider
{
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    public Props DowningActorProps => Props.Create(() => new MeshDowning(cluster, DownAfter, IsInTouch));

    private TimeSpan DownAfter => system.Settings.Config.GetTimeSpan("akka.cluster.mesh-downing.down-after", TimeSpan.FromSeconds(2), true);

    private Func<DeviceId, bool> IsInTouch
    {
        get
        {
            Akka.Util.Option<MeshTransportSetup> setup = system.Settings.Setup.Get<MeshTransportSetup>();
            return setup.HasValue ? setup.Value.IsInTouch : static _ => false;
        }
    }
}

internal sealed class MeshDowning : ReceiveActor, IWithTimers
{
    private readonly Cluster _cluster;

    public MeshDowning(Cluster cluster, TimeSpan downAfter, Func<DeviceId, bool> isInTouch)
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
            if (!_cluster.State.Unreachable.Any(member => member.UniqueAddress == order.Node))
            {
                return;
            }

            if (DeviceId.TryParse(order.Node.Address.Host, out DeviceId device) && isInTouch(device))
            {
                Timers.StartSingleTimer(order.Node, order, downAfter);
                return;
            }

            _cluster.Down(order.Node.Address);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => _cluster.Subscribe(
        Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IReachabilityEvent), typeof(ClusterEvent.MemberRemoved));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private sealed record GiveUp(UniqueAddress Node) : INoSerializationVerificationNeeded;
}
