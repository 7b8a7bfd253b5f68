using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Node.Pools;
using AgentMesh.Workers.Tests.Input;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Configs;

namespace AgentMesh.Node.Tests.Pools;

/// <summary>Who brings back what of a pool.</summary>
public sealed class PoolRevivalTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly HomeId Home = HomeId.Pool("lab");

    [Fact]
    public async Task A_round_asks_for_what_rests_in_the_shards_of_this_member_and_for_one_of_each_shard_that_nobody_owns()
    {
        JobId[] jobs = [.. Enumerable.Range(0, 4_000).Select(i => JobId.FromIdempotencyKey(Home, $"job {i}"))];
        using ActorSystem system = ActorSystem.Create("revival", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF").WithFallback(TestConfigs.TestSchedulerConfig));
        var time = (TestScheduler)system.Scheduler;
        var pool = new Pool(jobs);
        Member[] members = [new Member(system, pool, "even", bucket => bucket % 2 == 0), new Member(system, pool, "odd", bucket => bucket % 2 == 1)];

        // Nobody hosts a shard yet: one message for each, and not one for each job.
        await RoundsAsync(2);
        Assert.All(members, member => Assert.InRange(member.Woken.Distinct().Count(), 1, LeaseKey.Buckets));
        Assert.All(members, member => Assert.Equal(LeaseKey.Buckets, member.Woken.Distinct().Select(id => LeaseKey.Of(id)).Distinct().Count()));

        // Each hosts its half: a round brings back that half, and no more.
        Array.ForEach(members, member => member.Host());
        await TestWait.UntilAsync(() => PassAsync(members.Sum(member => member.Awake.Count) == jobs.Length), "everything is awake");

        // Then nothing is asked for, however many are open, and whoever has them.
        await RoundsAsync(1);
        Array.ForEach(members, member => member.Woken.Clear());
        await RoundsAsync(10);
        Assert.All(members, member => Assert.Empty(member.Woken));

        // What has stopped is brought back by its own member alone.
        string[] stopped = [.. members[0].Awake.Keys.Take(3)];
        Array.ForEach(stopped, id => members[0].Awake.TryRemove(id, out _));
        await TestWait.UntilAsync(() => PassAsync(members[0].Awake.Count + members[1].Awake.Count == jobs.Length), "the three are awake again");
        await RoundsAsync(2);
        Assert.Equal(stopped.Order(StringComparer.Ordinal), members[0].Woken.Order(StringComparer.Ordinal));
        Assert.Empty(members[1].Woken);
        await system.Terminate().WaitAsync(Bound);

        async Task RoundsAsync(int count)
        {
            int[] until = [.. members.Select(member => member.Rounds + count + 1)];
            await TestWait.UntilAsync(() => PassAsync(members.Zip(until).All(each => each.First.Rounds >= each.Second)), $"{count} rounds pass");
        }

        Task<bool> PassAsync(bool isSo)
        {
            // A region that is asked would be given up when its time passes without it.
            if (members.All(member => !member.IsFinding))
            {
                time.Advance(EntityReviverSettings.Default.Every);
            }

            return Task.FromResult(isSo);
        }
    }

    [SkippableFact]
    public async Task Members_of_a_database_bring_back_only_their_own_and_the_jobs_of_a_killed_one_are_awake_at_the_others()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        const int Count = 30;
        using var server = new PostgresServer();
        await using var lab = new PoolLab(server);
        for (int i = 0; i < 3; i++)
        {
            await lab.StartAsync();
        }

        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => PoolHandOffTests.AcceptedAsync(lab, "job", i, lab.Members, "revival")));
        string[] all = [.. Enumerable.Range(0, Count).Select(i => JobId.FromIdempotencyKey(lab.Home, $"job{i}").ToString())];
        PoolLabMember[] members = [.. lab.Members];
        await TestWait.UntilAsync(async () => members.All(member => member.Shards > 0) && (await DueAsync()).All(due => due.Count == 0), "every member has shards, and nothing rests");

        PoolLabMember[] stay = members[..2];
        await TestWait.UntilAsync(
            async () =>
            {
                stay[1].Residents.StopAll();
                IReadOnlyList<string>[] due = await DueAsync();
                IReadOnlySet<string> own = (await RegionView.AskAsync(stay[1].Jobs, CancellationToken.None)).Shards;
                return due[0].Count == 0 && due[2].Count == 0 && due[1].Count > 0 && due[1].All(id => own.Contains(LeaseKey.Of(id).Shard["job/".Length..]));
            },
            "only the member whose entities have stopped would bring them back");

        // Nobody asks for a job from here on.
        members[2].Kill();
        long killed = TimeProvider.System.GetTimestamp();
        string[] missing = all;
        while (missing.Length > 0 && TimeProvider.System.GetElapsedTime(killed) < Bound * 2)
        {
            await Task.Delay(100);
            IReadOnlySet<string>[] awake = await Task.WhenAll(stay.Select(async member => (await RegionView.AskAsync(member.Jobs, CancellationToken.None)).Awake));
            missing = [.. all.Where(id => !awake.Any(each => each.Contains(id)))];
        }

        Assert.Empty(missing);

        async Task<IReadOnlyList<string>[]> DueAsync() =>
            await Task.WhenAll(members.Select(member => member.Revival.Of("job", member.Jobs, JobManifests.AtRest, _ => true)(1_000, CancellationToken.None)));
    }

    /// <summary>The open jobs of a pool, and who owns which shard.</summary>
    private sealed class Pool(JobId[] jobs) : IEntityIndex
    {
        public ConcurrentDictionary<LeaseKey, string> Owners { get; } = [];

        public Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null) =>
            Task.FromResult<IReadOnlyList<EntitySummary>>([.. jobs.Select((job, i) => new EntitySummary(i, job.ToString(), 1, "m", 0, 0)).Where(each => wanted!(each.PersistenceId)).Take(limit)]);

        public Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) => throw new NotSupportedException();

        public Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default) => throw new NotSupportedException();
    }

    private sealed class Member
    {
        private readonly string _name;
        private readonly Pool _pool;
        private readonly Func<int, bool> _hosts;
        private int _rounds;
        private volatile bool _isFinding;

        public Member(ActorSystem system, Pool pool, string name, Func<int, bool> hosts)
        {
            (_name, _pool, _hosts) = (name, pool, hosts);
            IActorRef region = system.ActorOf(Props.Create(() => new Region(this)));
            var revival = new PoolRevival(Home.ToString(), pool, _ => Task.FromResult<IReadOnlySet<LeaseKey>>(pool.Owners.Where(each => each.Value != name).Select(each => each.Key).ToHashSet()));
            FindEntities find = revival.Of("job", region, JobManifests.AtRest, _ => true);
            system.ActorOf(EntityReviver.Create(
                "jobs",
                region,
                async (limit, cancel) =>
                {
                    IsFinding = true;
                    Interlocked.Increment(ref _rounds);
                    try
                    {
                        return await find(limit, cancel);
                    }
                    finally
                    {
                        IsFinding = false;
                    }
                },
                id => JobId.TryParse(id, out JobId job) ? new WakeJob(job) : null,
                EntityReviverSettings.Default,
                new ManualTime()));
        }

        public int Rounds => Volatile.Read(ref _rounds);

        public bool IsFinding
        {
            get => _isFinding;
            private set => _isFinding = value;
        }

        public ConcurrentQueue<string> Woken { get; } = [];

        public ConcurrentDictionary<string, byte> Awake { get; } = [];

        public bool IsHost { get; private set; }

        public bool Hosts(string id) => _hosts(int.Parse(LeaseKey.Of(id).Shard["job/".Length..], CultureInfo.InvariantCulture));

        /// <summary>Its half of the shards.</summary>
        public void Host()
        {
            for (int bucket = 0; bucket < LeaseKey.Buckets; bucket++)
            {
                if (_hosts(bucket))
                {
                    _pool.Owners[new LeaseKey(Home.ToString(), $"job/{bucket}")] = _name;
                }
            }

            IsHost = true;
        }

        private CurrentShardRegionState State()
        {
            ILookup<string, string> awake = Awake.Keys.ToLookup(id => LeaseKey.Of(id).Shard);
            return new([
                .. Enumerable.Range(0, IsHost ? LeaseKey.Buckets : 0).Where(_hosts).Select(bucket => bucket.ToString(CultureInfo.InvariantCulture))
                    .Select(shard => new ShardState(shard, awake[$"job/{shard}"].ToImmutableHashSet())),
            ]);
        }

        private sealed class Region : ReceiveActor
        {
            public Region(Member member)
            {
                Receive<GetShardRegionState>(_ => Sender.Tell(member.State()));
                Receive<WakeJob>(wake =>
                {
                    string id = wake.JobId.ToString();
                    member.Woken.Enqueue(id);

                    // What a round from before asks for may have its host elsewhere by now.
                    if (member.IsHost && member.Hosts(id))
                    {
                        member.Awake[id] = 0;
                    }

                    Sender.Tell(new JobProblem(wake.JobId, new Problem(MeshErrors.UnknownJob, "")));
                });
            }
        }
    }
}
