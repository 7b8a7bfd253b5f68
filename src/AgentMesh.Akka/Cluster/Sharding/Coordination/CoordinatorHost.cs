using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>Runs the coordinator of a type while this member is the oldest with the role.</summary>
internal sealed class CoordinatorHost : ReceiveActor
{
    public const string CoordinatorName = "coordinator";

    private readonly Props _coordinator;
    private readonly OldestMember _oldest;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef? _running;

    public CoordinatorHost(string? role, Props coordinator)
    {
        _coordinator = coordinator;
        _oldest = new OldestMember(role);
        Receive<ClusterEvent.CurrentClusterState>(state =>
        {
            _oldest.Reset(state);
            Decide();
        });
        Receive<ClusterEvent.IMemberEvent>(change =>
        {
            _oldest.Apply(change);
            Decide();
        });
        Receive<Terminated>(ended =>
        {
            if (!ended.ActorRef.Equals(_running))
                return;
            _running = null;
            Decide();
        });
    }

    protected override void PreStart() => _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IMemberEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Decide()
    {
        bool oldest = _oldest.Current?.UniqueAddress == _cluster.SelfUniqueAddress;
        if (oldest && _running is null)
        {
            _log.Debug("This member is the oldest with the role; starting the coordinator");
            _running = Context.Watch(Context.ActorOf(_coordinator, CoordinatorName));
        }
        else if (!oldest && _running is not null)
        {
            // The name is free again when Terminated comes.
            Context.Stop(_running);
        }
    }
}
