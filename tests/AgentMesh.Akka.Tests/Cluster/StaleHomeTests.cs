using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Cluster.Sharding.Coordination;
using AgentMesh.EngineTests.Remote;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>A region, or the coordinator, was not told that another one is no more: here an actor stands for it that says nothing and does not end.</summary>
public sealed class StaleHomeTests
{
    private const string Fast = """
        akka.cluster.sharding { rebalance-interval = 1h, retry-min = 20ms, report-interval = 100ms, waiting-for-state-timeout = 500ms }
        """;

    private static readonly TimeSpan Patience = RemoteLab.Patience;

    [Fact]
    public async Task A_home_that_is_one_no_more_is_asked_for_again()
    {
        await using var lab = new RemoteLab();
        (ActorSystem a, IActorRef region) = await Join(lab, "a");
        Assert.Equal("a", await region.Ask<string>(new ShardingEnvelope("e0", "where"), Patience));

        region.Tell(new ShardHome("e0", new Probe(a).Ref), await CoordinatorOf(a, "a"));

        await UntilAnswered(region, "e0");
    }

    [Fact]
    public async Task A_proxy_asks_again_too()
    {
        await using var lab = new RemoteLab();
        await Join(lab, "a");
        (ActorSystem b, IActorRef proxy) = await Join(lab, "b", isProxy: true);
        Assert.Equal("a", await proxy.Ask<string>(new ShardingEnvelope("e0", "where"), Patience));

        proxy.Tell(new ShardHome("e0", new Probe(b).Ref), await CoordinatorOf(b, "a"));

        await UntilAnswered(proxy, "e0");
    }

    [Fact]
    public async Task A_coordinator_that_is_one_no_more_is_looked_for_again()
    {
        await using var lab = new RemoteLab();
        (ActorSystem a, IActorRef region) = await Join(lab, "a");
        Assert.Equal("a", await region.Ask<string>(new ShardingEnvelope("e0", "where"), Patience));

        region.Tell(new RegisterAck(new Probe(a).Ref));

        await UntilAnswered(region, "e1");
    }

    [Fact]
    public async Task A_coordinator_at_another_member_than_the_oldest_is_none()
    {
        await using var lab = new RemoteLab();
        await Join(lab, "a");
        (ActorSystem b, IActorRef proxy) = await Join(lab, "b", isProxy: true, "akka.cluster.sharding.report-interval = 1h");
        await UntilAnswered(proxy, "e0");

        proxy.Tell(new RegisterAck(new Probe(b).Ref));

        Assert.Equal("a", await proxy.Ask<string>(new ShardingEnvelope("e1", "where"), Patience));
    }

    [Fact]
    public async Task A_region_that_reports_stands_for_all_lives_of_its_system()
    {
        await using var lab = new RemoteLab();
        (ActorSystem _, IActorRef region) = await Join(lab, "a");
        (ActorSystem b, _) = await Join(lab, "b");
        await UntilAnswered(region, "e0");

        // As the last word of the life before of b.
        var before = new Probe(b);
        (await CoordinatorOf(b, "a")).Tell(new Register(before.Ref, ["e9"]));
        await before.Next<RegisterAck>();

        await UntilAnswered(region, "e9");
    }

    [Fact]
    public async Task A_hand_off_does_not_wait_for_one_that_was_the_home_before()
    {
        const string NeverAgain = "akka.cluster.sharding { report-interval = 1h, handoff-timeout = 1h }";
        await using var lab = new RemoteLab();
        (ActorSystem a, IActorRef regionA) = await Join(lab, "a", extra: NeverAgain);
        Assert.Equal("a", await regionA.Ask<string>(new ShardingEnvelope("e0", "where"), Patience));
        (ActorSystem _, IActorRef regionB) = await Join(lab, "b", extra: NeverAgain);
        await UntilAnswered(regionB, "e0");
        (ActorSystem c, IActorRef proxy) = await Join(lab, "c", isProxy: true, NeverAgain);
        await UntilAnswered(proxy, "e0");
        proxy.Tell(new ShardHome("e0", new Probe(c).Ref), await CoordinatorOf(c, "a"));

        regionA.Tell(GracefulShutdown.Instance);

        await MembershipTests.Until(() => regionB.Ask<string>(new ShardingEnvelope("e0", "where"), Patience).Result == "b");
    }

    /// <summary>What was sent to nobody is lost; what comes after is not.</summary>
    private static async Task UntilAnswered(IActorRef region, string entity)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                await region.Ask<string>(new ShardingEnvelope(entity, "where"), TimeSpan.FromMilliseconds(200));
                return;
            }
            catch (AskTimeoutException) when (!limit.IsCancellationRequested)
            {
                // Again.
            }
        }
    }

    private static Task<IActorRef> CoordinatorOf(ActorSystem system, string host) =>
        system.ActorSelection(new RootActorPath(RemoteLab.AddressOf(host)) + "/system/sharding-thing-coordinator/coordinator").ResolveOne(Patience);

    private static async Task<(ActorSystem System, IActorRef Region)> Join(RemoteLab lab, string host, bool isProxy = false, string extra = "")
    {
        ActorSystem system = lab.StartMember(host, $"{Fast}\n{extra}\nakka.cluster.roles = [{(isProxy ? "proxies" : "hosts")}]");
        MembershipTests.Of(system).Join(RemoteLab.AddressOf("a"));
        await MembershipTests.Until(() => MembershipTests.Of(system).IsUp);
        ClusterSharding sharding = ClusterSharding.Get(system);
        return (system, isProxy
            ? sharding.StartProxy("thing", "hosts", new EachItsOwnShard())
            : sharding.Start("thing", Props.Create(() => new Entity(host)), ClusterShardingSettings.Create(system).WithRole("hosts"), new EachItsOwnShard()));
    }

    private sealed class EachItsOwnShard : IMessageExtractor
    {
        public string EntityId(object message) => (message as ShardingEnvelope)?.EntityId!;

        public object EntityMessage(object message) => ((ShardingEnvelope)message).Message;

        public string ShardId(object message) => ((ShardingEnvelope)message).EntityId;

        public string ShardId(string entityId, object? messageHint = null) => entityId;
    }

    private sealed class Entity : ReceiveActor
    {
        public Entity(string host) => Receive<string>(_ => Sender.Tell(host));
    }
}
