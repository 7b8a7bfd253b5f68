using AgentMesh.EngineTests.Remote;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Entities spread over real members.</summary>
public sealed class ShardingTests
{
    private const string Fast = "akka.cluster.sharding { rebalance-interval = 200ms, retry-min = 20ms, waiting-for-state-timeout = 500ms, handoff-timeout = 5s }";

    private static readonly TimeSpan Patience = RemoteLab.Patience;

    [Fact]
    public async Task An_entity_is_made_by_its_first_message_and_lives_once()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a", "b");

        string[] homes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => members[i % 2].Region.Ask<string>(new ShardingEnvelope($"e{i / 2}", "where"), Patience)));

        // Asked from both members, each of the twenty entities answered from one place.
        for (int i = 0; i < 40; i += 2)
            Assert.Equal(homes[i], homes[i + 1]);
        Assert.Equal(2, homes.Select(home => home.Split('|')[0]).Distinct().Count());
    }

    [Fact]
    public async Task Messages_of_one_sender_to_an_entity_keep_their_order_from_the_first_on()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a", "b");
        for (int i = 0; i < 500; i++)
            members[1].Region.Tell(new ShardingEnvelope("counter", i));

        Assert.Equal("500 in order", await members[1].Region.Ask<string>(new ShardingEnvelope("counter", "count"), Patience));
    }

    [Fact]
    public async Task A_proxy_reaches_entities_of_members_with_the_role()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        ActorSystem outside = lab.StartMember("b", Fast);
        MembershipTests.Of(outside).Join(RemoteLab.AddressOf("a"));
        IActorRef proxy = ClusterSharding.Get(outside).StartProxy("thing", "all", Extractor());

        Assert.StartsWith(AddressUid(members[0].System), await proxy.Ask<string>(new ShardingEnvelope("x", "where"), Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_passivated_entity_is_started_again_by_messages_that_came_meanwhile()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        IActorRef region = members[0].Region;
        string first = await region.Ask<string>(new ShardingEnvelope("x", "where"), Patience);

        region.Tell(new ShardingEnvelope("x", "rest"));
        Task<string>[] meanwhile = [.. Enumerable.Range(0, 50).Select(_ => region.Ask<string>(new ShardingEnvelope("x", "where"), Patience))];

        // Every message is answered, by the old life or by the new one.
        await Task.WhenAll(meanwhile);
        await MembershipTests.Until(() => region.Ask<string>(new ShardingEnvelope("x", "where"), Patience).Result != first);
    }

    [Fact]
    public async Task An_idle_entity_is_stopped()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        string first = await members[0].Region.Ask<string>(new ShardingEnvelope("x", "where"), Patience);

        await MembershipTests.Until(() => members[0].Region.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, Patience).Result.Shards.All(shard => shard.EntityIds.Count == 0));
        Assert.NotEqual(first, await members[0].Region.Ask<string>(new ShardingEnvelope("x", "where"), Patience));
    }

    [Fact]
    public async Task A_region_tells_how_many_entities_of_each_shard_are_awake()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        Assert.Empty((await members[0].Region.Ask<ShardRegionStats>(GetShardRegionStats.Instance, Patience)).Stats);
        await members[0].Region.Ask<string>(new ShardingEnvelope("x", "where"), Patience);

        CurrentShardRegionState state = await members[0].Region.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, Patience);
        ShardRegionStats stats = await members[0].Region.Ask<ShardRegionStats>(GetShardRegionStats.Instance, Patience);
        Assert.Equal(Assert.Single(state.Shards).ShardId, Assert.Single(stats.Stats).Key);
        Assert.Empty(stats.Failed);
    }

    [Fact]
    public async Task Shards_move_to_a_new_member_without_losing_messages()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        for (int i = 0; i < 30; i++)
            await members[0].Region.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience);

        ActorSystem b = lab.StartMember("b", Fast);
        MembershipTests.Of(b).Join(RemoteLab.AddressOf("a"));
        IActorRef there = StartRegion(b);
        string uid = AddressUid(b);
        await MembershipTests.Until(() =>
        {
            string[] homes = Task.WhenAll(Enumerable.Range(0, 30).Select(i => members[0].Region.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience))).Result;
            return homes.Any(home => home.StartsWith(uid, StringComparison.Ordinal));
        });
        Assert.NotNull(there);
    }

    [Fact]
    public async Task When_the_member_with_the_coordinator_leaves_the_others_go_on()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a", "b", "c");
        foreach ((ActorSystem _, IActorRef region) in members)
            await region.Ask<string>(new ShardingEnvelope("x", "where"), Patience);

        await members[0].System.Terminate().WaitAsync(Patience);

        for (int i = 0; i < 20; i++)
            Assert.Equal(await members[1].Region.Ask<string>(new ShardingEnvelope($"y{i}", "where"), Patience), await members[2].Region.Ask<string>(new ShardingEnvelope($"y{i}", "where"), Patience));
    }

    [Fact]
    public async Task A_message_for_no_entity_is_unhandled_and_remembering_is_refused()
    {
        await using var lab = new RemoteLab();
        (ActorSystem System, IActorRef Region)[] members = await Start(lab, "a");
        var probe = new Probe(members[0].System);
        members[0].System.EventStream.Subscribe(probe.Ref, typeof(Akka.Event.UnhandledMessage));

        members[0].Region.Tell("for nobody");

        Assert.Equal("for nobody", (await probe.Next<Akka.Event.UnhandledMessage>()).Message);
        ClusterShardingSettings settings = ClusterShardingSettings.Create(members[0].System).WithRememberEntities(true);
        Assert.Throws<ArgumentException>(() => ClusterSharding.Get(members[0].System).Start("other", Props.Create<Entity>(), settings, Extractor()));
    }

    private static string AddressUid(ActorSystem system) => Akka.Remote.AddressUidExtension.Uid(system).ToString(System.Globalization.CultureInfo.InvariantCulture) + "|";

    private static IMessageExtractor Extractor() => HashCodeMessageExtractor.Create(10, message => (message as ShardingEnvelope)?.EntityId!, message => ((ShardingEnvelope)message).Message);

    private static IActorRef StartRegion(ActorSystem system) => ClusterSharding.Get(system).Start(
        "thing", Props.Create<Entity>(), ClusterShardingSettings.Create(system).WithRole("all").WithPassivateIdleAfter(TimeSpan.FromSeconds(1)), Extractor());

    private static async Task<(ActorSystem System, IActorRef Region)[]> Start(RemoteLab lab, params string[] hosts)
    {
        ActorSystem[] systems = [.. hosts.Select(host => lab.StartMember(host, Fast))];
        foreach (ActorSystem system in systems)
        {
            MembershipTests.Of(system).Join(MembershipTests.Of(systems[0]).SelfAddress);
            await MembershipTests.Until(() => MembershipTests.Of(system).IsUp);
        }

        return [.. systems.Select(system => (system, StartRegion(system)))];
    }

    private sealed class Entity : ReceiveActor
    {
        private readonly string _life = Guid.NewGuid().ToString("N");
        private bool _inOrder = true;
        private int _count;

        public Entity()
        {
            Receive<int>(number => _inOrder &= number == _count++);
            Receive<string>(text => text == "where", _ => Sender.Tell($"{AddressUid(Context.System)}{_life}"));
            Receive<string>(text => text == "count", _ => Sender.Tell($"{_count} {(_inOrder ? "in order" : "mixed up")}"));
            Receive<string>(text => text == "rest", _ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
        }
    }
}
