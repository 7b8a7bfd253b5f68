using System.Collections.Immutable;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;

namespace AgentMesh.Node.Membership;

/// <summary>Tells the node what the cluster looks like, whenever that changes, and when this member is no longer one.</summary>
internal sealed class ClusterWatcher : ReceiveActor
{
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly Action<ClusterView, ImmutableList<MemberState>> _tell;
    private readonly Action<string> _over;

    public ClusterWatcher(Action<ClusterView, ImmutableList<MemberState>> tell, Action<string> over)
    {
        _tell = tell;
        _over = over;
        Receive<ClusterEvent.CurrentClusterState>(_ => Tell());
        Receive<ClusterEvent.MemberRemoved>(removed =>
        {
            if (removed.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
            {
                _over("this device was taken out of the cluster");
            }
            else
            {
                Tell();
            }
        });
        Receive<ClusterEvent.IClusterDomainEvent>(_ => Tell());
        Receive<ThisActorSystemQuarantinedEvent>(OnQuarantined);
    }

    public static Props Create(Action<ClusterView, ImmutableList<MemberState>> tell, Action<string> over) => Props.Create(() => new ClusterWatcher(tell, over));

    protected override void PreStart()
    {
        _cluster.Subscribe(
            Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _cluster.Unsubscribe(Self);
    }

    // Only what a fellow member says counts: a device that was cut off and has downed everybody must not end the systems of those who stayed
    // together. The two clusters merge by what their links tell (see MergeDecision).
    private void OnQuarantined(ThisActorSystemQuarantinedEvent quarantined)
    {
        if (_cluster.State.Members.Any(member => member.Address.Equals(quarantined.RemoteAddress)))
        {
            _over($"{quarantined.RemoteAddress} has quarantined this device");
        }
    }

    private void Tell()
    {
        ClusterEvent.CurrentClusterState state = _cluster.State;
        var members = ImmutableList.CreateBuilder<MemberState>();
        var view = new HashSet<ViewMember>();
        foreach (Member member in state.Members)
        {
            if (!DeviceId.TryParse(member.Address.Host, out DeviceId device))
            {
                continue;
            }

            members.Add(new MemberState(device, member.Status, !state.Unreachable.Contains(member)));
            if (member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up)
            {
                view.Add(new ViewMember(device, member.UniqueAddress.Uid));
            }
        }

        DeviceId self = DeviceId.Parse(_cluster.SelfAddress.Host);
        _tell(new ClusterView(new ViewMember(self, _cluster.SelfUniqueAddress.Uid), view), members.ToImmutable());
    }
}

/// <summary>One member of the cluster as this device sees it.</summary>
internal readonly record struct MemberState(DeviceId Device, MemberStatus Status, bool IsReachable);
