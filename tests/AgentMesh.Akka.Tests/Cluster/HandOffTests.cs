using System.Collections.Concurrent;
using System.Globalization;
using AgentMesh.Engine.Wire;
using AgentMesh.EngineTests.Remote;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Cluster.Sharding.Coordination;
using Google.Protobuf;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>What happens to messages and entities while their shard moves.</summary>
public sealed class HandOffTests
{
    private const string Fast = """
        akka.cluster.sharding {
          rebalance-interval = 100ms, retry-min = 20ms, waiting-for-state-timeout = 500ms, handoff-timeout = 3s
          least-shard-allocation-strategy.rebalance-relative-limit = 1.0
        }
        akka.coordinated-shutdown.phases.cluster-sharding-shutdown-region.timeout = 10s
        """;

    private static readonly TimeSpan Patience = RemoteLab.Patience;

    [Fact]
    public async Task No_message_is_lost_repeated_or_overtaken_while_shards_move_to_a_new_member_and_back()
    {
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem a, IActorRef regionA) = await Join(lab, "a", log);
        (ActorSystem b, IActorRef regionB) = await Join(lab, "b", log);
        using var stop = new CancellationTokenSource();
        Task<int[]> fromA = Task.Run(() => Send(a, regionA, "a", stop.Token)), fromB = Task.Run(() => Send(b, regionB, "b", stop.Token));
        await MembershipTests.Until(() => log.LivesIn("a") > 0 && log.LivesIn("b") > 0);

        (ActorSystem c, _) = await Join(lab, "c", log);
        await MembershipTests.Until(() => log.LivesIn("c") >= 2);
        int before = log.LivesIn("a") + log.LivesIn("b");
        await MembershipTests.Of(c).LeaveAsync().WaitAsync(Patience);
        await MembershipTests.Until(() => log.LivesIn("a") + log.LivesIn("b") > before);
        await stop.CancelAsync();

        log.ExpectAll("a", await fromA);
        log.ExpectAll("b", await fromB);
    }

    [Fact]
    public async Task Messages_for_an_entity_that_passivates_itself_wait_for_its_next_life()
    {
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem _, IActorRef region) = await Join(lab, "a", log);
        await region.Ask<string>(new ShardingEnvelope("e0", "passivate"), Patience);
        for (int i = 0; i < 10; i++)
            region.Tell(new ShardingEnvelope("e0", $"test {i}"));

        log.ExpectAll("test", [10]);
        Assert.Equal((2, 1), (log.LivesIn("a"), log.StopMessages));
    }

    [Fact]
    public async Task Messages_that_waited_for_a_passivated_entity_go_with_the_shard()
    {
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem a, IActorRef region) = await Join(lab, "a", log);
        await region.Ask<string>(new ShardingEnvelope("e0", "passivate and wait"), Patience);
        for (int i = 0; i < 10; i++)
            region.Tell(new ShardingEnvelope("e0", $"test {i}"));
        (ActorSystem b, _) = await Join(lab, "b", log);
        await MembershipTests.Of(a).LeaveAsync().WaitAsync(Patience);

        log.ExpectAll("test", [10]);
        Assert.Equal(1, log.LivesIn("b"));
    }

    [Fact]
    public async Task A_message_that_is_long_on_its_way_to_the_old_home_is_not_overtaken()
    {
        const string Forbearing = Fast + "\nakka.cluster.failure-detector.acceptable-heartbeat-pause = 60s";
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem _, IActorRef regionA) = await Join(lab, "a", log, Forbearing);
        (ActorSystem _, IActorRef regionB) = await Join(lab, "b", log, Forbearing);
        (ActorSystem _, IActorRef regionC) = await Join(lab, "c", log, Forbearing);
        string[] homes = [];
        await MembershipTests.Until(() =>
        {
            homes = Task.WhenAll(Enumerable.Range(0, 8).Select(i => regionB.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience))).Result;
            return homes.CountBy(home => home).ToDictionary() is { Count: 3 } counts && counts.Values.Max() <= 3;
        });
        string entity = $"e{Array.IndexOf(homes, "c")}";
        int lives = log.LivesIn("a") + log.LivesIn("b");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int messagesToC = 0;
        Akka.Remote.Transport.TestTransport fromA = lab.TransportOf("a"), fromB = lab.TransportOf("b");
        fromA.WriteBehavior.Push(write =>
        {
            if (write.Item1.RemoteAddress.Host == "b" && Count(write.Item2, "BH") > 0)
                begun.TrySetResult();
            return fromA.WriteBehavior.DefaultBehavior(write);
        });
        fromB.WriteBehavior.Push(async write =>
        {
            if (write.Item1.RemoteAddress.Host == "c")
            {
                await gate.Task;
                Interlocked.Add(ref messagesToC, Count(write.Item2, "EN"));
            }

            return await fromB.WriteBehavior.DefaultBehavior(write);
        });
        for (int i = 0; i < 10; i++)
            regionB.Tell(new ShardingEnvelope(entity, $"test {i}"));
        regionC.Tell(GracefulShutdown.Instance);
        await begun.Task.WaitAsync(Patience);

        Assert.False(SpinWait.SpinUntil(() => log.LivesIn("a") + log.LivesIn("b") > lives, TimeSpan.FromMilliseconds(700)));
        for (int i = 10; i < 20; i++)
            regionB.Tell(new ShardingEnvelope(entity, $"test {i}"));
        gate.SetResult();
        log.Expect("test", entity, 20);
        await MembershipTests.Until(() => regionA.Ask<string>(new ShardingEnvelope(entity, "where"), Patience).Result != "c");
        Assert.Equal(10, messagesToC);
    }

    [Fact]
    public async Task A_region_takes_no_shard_from_one_that_is_not_its_coordinator()
    {
        await using var lab = new RemoteLab();
        (ActorSystem a, IActorRef region) = await Join(lab, "a", new Journal());
        await region.Ask<string>(new ShardingEnvelope("e0", "where"), Patience);

        // As from the coordinator before, which has not heard yet that there is another one.
        var before = new Probe(a);
        region.Tell(new HostShard("late"), before.Ref);
        region.Tell(new ShardHome("late", region), before.Ref);
        CurrentShardRegionState state = await region.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, Patience);

        Assert.NotEmpty(state.Shards);
        Assert.DoesNotContain(state.Shards, shard => shard.ShardId == "late");
    }

    [Fact]
    public async Task What_does_not_fit_into_the_buffer_of_a_region_is_dropped_and_published()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.StartMember("a", "akka.cluster.sharding.buffer-size = 3");
        var letters = new Probe(a);
        a.EventStream.Subscribe(letters.Ref, typeof(Akka.Event.Dropped));
        IActorRef proxy = ClusterSharding.Get(a).StartProxy("thing", "nobody has this role", new EachItsOwnShard());
        for (int i = 0; i < 5; i++)
            proxy.Tell(new ShardingEnvelope($"e{i}", i));

        Assert.Equal(3, ((ShardingEnvelope)(await letters.Next<Akka.Event.Dropped>()).Message).Message);
        Assert.Equal(4, ((ShardingEnvelope)(await letters.Next<Akka.Event.Dropped>()).Message).Message);
    }

    [Fact]
    public async Task Entities_get_the_stop_message_of_the_hand_off_and_end_before_they_live_again_elsewhere()
    {
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem a, IActorRef region) = await Join(lab, "a", log);
        (ActorSystem b, IActorRef regionB) = await Join(lab, "b", log);
        await MembershipTests.Until(() =>
        {
            for (int i = 0; i < 8; i++)
                _ = region.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience).Result;
            return log.LivesIn("a") > 0;
        });
        await MembershipTests.Of(a).LeaveAsync().WaitAsync(Patience);
        for (int i = 0; i < 8; i++)
            Assert.Equal("b", await regionB.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience));

        Assert.Equal(0, log.Doubles);
        Assert.True(log.StopMessages > 0);
    }

    [Fact]
    public async Task An_entity_that_does_not_heed_the_stop_message_is_stopped_in_the_end()
    {
        await using var lab = new RemoteLab();
        var log = new Journal();
        (ActorSystem a, IActorRef region) = await Join(lab, "a", log);
        for (int i = 0; i < 4; i++)
            await region.Ask<string>(new ShardingEnvelope($"e{i}", "be stubborn"), Patience);
        (ActorSystem b, _) = await Join(lab, "b", log);

        await MembershipTests.Until(() => log.StopMessages > 0);
        await MembershipTests.Until(() => Task.WhenAll(Enumerable.Range(0, 4).Select(i => region.Ask<string>(new ShardingEnvelope($"e{i}", "where"), Patience))).Result.Contains("b"));
        Assert.Equal(0, log.Doubles);
    }

    /// <returns>How many messages with the manifest are in the frame.</returns>
    private static int Count(ByteString bytes, string manifest)
    {
        Batch? batch = Frame.Parser.ParseFrom(bytes).Batch;
        return batch?.Envelopes.Count(message => message.Manifest > 0 && batch.Manifests[(int)message.Manifest - 1] == manifest) ?? 0;
    }

    /// <summary>Sends numbers to eight entities until it is told to end.</summary>
    /// <returns>How many each entity was sent.</returns>
    private static int[] Send(ActorSystem system, IActorRef region, string name, CancellationToken stop)
    {
        var sent = new int[8];
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < sent.Length; i++)
                region.Tell(new ShardingEnvelope($"e{i}", $"{name} {sent[i]++}"), ActorRefs.NoSender);
            Thread.Sleep(1);
        }

        return sent;
    }

    private static async Task<(ActorSystem System, IActorRef Region)> Join(RemoteLab lab, string host, Journal log, string config = Fast)
    {
        ActorSystem system = lab.StartMember(host, config);
        MembershipTests.Of(system).Join(RemoteLab.AddressOf("a"));
        await MembershipTests.Until(() => MembershipTests.Of(system).IsUp);
        return (system, ClusterSharding.Get(system).Start("thing", Props.Create(() => new Entity(log, host)), ClusterShardingSettings.Create(system), new EachItsOwnShard(), ClusterSharding.Get(system).DefaultShardAllocationStrategy(ClusterShardingSettings.Create(system)), "stop"));
    }

    private sealed class EachItsOwnShard : IMessageExtractor
    {
        public string EntityId(object message) => (message as ShardingEnvelope)?.EntityId!;

        public object EntityMessage(object message) => ((ShardingEnvelope)message).Message;

        public string ShardId(object message) => ((ShardingEnvelope)message).EntityId;

        public string ShardId(string entityId, object? messageHint = null) => entityId;
    }

    /// <summary>What the entities of all members did.</summary>
    private sealed class Journal
    {
        private readonly object _gate = new();
        private readonly Dictionary<(string Sender, string Entity), List<int>> _arrived = [];
        private readonly Dictionary<string, int> _lives = [];
        private readonly HashSet<string> _alive = [];

        /// <summary>How often an entity was started while it lived.</summary>
        public int Doubles { get; private set; }

        public int StopMessages { get; private set; }

        public int LivesIn(string host)
        {
            lock (_gate)
                return _lives.GetValueOrDefault(host);
        }

        public void Begins(string entity, string host)
        {
            lock (_gate)
            {
                _lives[host] = _lives.GetValueOrDefault(host) + 1;
                if (!_alive.Add(entity))
                    Doubles++;
            }
        }

        public void Stops()
        {
            lock (_gate)
                StopMessages++;
        }

        public void Ends(string entity)
        {
            lock (_gate)
                _alive.Remove(entity);
        }

        public void Arrives(string entity, string sender, int number)
        {
            lock (_gate)
            {
                if (!_arrived.TryGetValue((sender, entity), out List<int>? numbers))
                    _arrived.Add((sender, entity), numbers = []);
                numbers.Add(number);
            }
        }

        /// <summary>Waits for the last and compares them all.</summary>
        public void ExpectAll(string sender, int[] sent)
        {
            for (int i = 0; i < sent.Length; i++)
                Expect(sender, $"e{i}", sent[i]);
            Assert.Equal(0, Doubles);
        }

        public void Expect(string sender, string entity, int count)
        {
            SpinWait.SpinUntil(() => Numbers(sender, entity) is [.., int last] && last == count - 1, Patience);
            Assert.Equal(Enumerable.Range(0, count), Numbers(sender, entity));
        }

        private int[] Numbers(string sender, string entity)
        {
            lock (_gate)
                return _arrived.TryGetValue((sender, entity), out List<int>? numbers) ? [.. numbers] : [];
        }
    }

    private sealed class Entity : ReceiveActor
    {
        // An entity takes its time to end; nobody may take its place before.
        private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(50);

        private readonly Journal _log;
        private readonly string _host;
        private bool _stubborn;

        public Entity(Journal log, string host)
        {
            _log = log;
            _host = host;
            Receive<string>(text => text == "where", _ => Sender.Tell(_host));
            Receive<string>(text => text == "be stubborn", _ =>
            {
                _stubborn = true;
                Sender.Tell(_host);
            });
            Receive<string>(text => text == "passivate", _ =>
            {
                Context.Parent.Tell(new Passivate("stop"));
                Sender.Tell(_host);
            });
            Receive<string>(text => text == "passivate and wait", _ =>
            {
                Context.Parent.Tell(new Passivate("rest"));
                Sender.Tell(_host);
            });
            Receive<string>(text => text == "rest", _ => { });
            Receive<string>(text => text == "stop", _ =>
            {
                _log.Stops();
                if (!_stubborn)
                    Context.System.Scheduler.ScheduleTellOnce(Linger, Self, "end", Self);
            });
            Receive<string>(text => text == "end", _ => Context.Stop(Self));
            Receive<string>(text => _log.Arrives(Self.Path.Name, text.Split(' ')[0], int.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture)));
        }

        protected override void PreStart() => _log.Begins(Self.Path.Name, _host);

        protected override void PostStop() => _log.Ends(Self.Path.Name);
    }
}
