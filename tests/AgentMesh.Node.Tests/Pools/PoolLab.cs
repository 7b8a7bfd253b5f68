using AgentMesh.Journal;
using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Node.Pools;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote.Transport;

namespace AgentMesh.Node.Tests.Pools;

/// <summary>Members of a pool in this process: the product's regions, entities and wardens, a real database, and a transport whose messages a test sees.</summary>
/// <param name="config">What differs for the members.</param>
internal sealed class PoolLab(PostgresServer server, string config = "") : IAsyncDisposable
{
    private readonly string _key = Guid.NewGuid().ToString("N");
    private readonly List<PoolLabMember> _members = [];

    public HomeId Home { get; } = HomeId.Pool("lab" + Guid.NewGuid().ToString("N")[..8]);

    public string Config => config;

    public string Database { get; } = server.NewDatabase();

    public IReadOnlyList<PoolLabMember> Members => _members;

    public async Task<PoolLabMember> StartAsync()
    {
        DeviceId id = DeviceId.Parse(new string((char)('a' + _members.Count), DeviceId.TextLength));
        var member = new PoolLabMember(server, this, id, _key, _members.FirstOrDefault()?.Id ?? id);
        _members.Add(member);
        await member.JoinedAsync();
        return member;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PoolLabMember member in _members)
        {
            await member.DisposeAsync();
        }
    }
}

internal sealed class PoolLabMember : IAsyncDisposable
{
    private readonly DatabaseProxy _proxy;
    private readonly PostgresPool _pool;
    private readonly PoolSession _session;
    private readonly TestTransport _transport;
    private int _killed;

    public PoolLabMember(PostgresServer server, PoolLab lab, DeviceId id, string key, DeviceId seed)
    {
        Id = id;
        _proxy = new DatabaseProxy(server);
        var settings = new PostgresSettings
        {
            Pool = lab.Home.ToString(),
            ConnectionString = _proxy.ConnectionString(lab.Database),
            Device = id.ToString(),
            DeviceName = id.ToString()[..6],
            Lease = TimeSpan.FromSeconds(3),
        };
        _pool = PostgresPool.Open(settings, TimeProvider.System);
        Config config = ConfigurationFactory.ParseString(lab.Config).WithFallback(ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              log-dead-letters = off
              coordinated-shutdown.run-by-clr-shutdown-hook = off
              coordinated-shutdown.exit-clr = off
              actor.provider = cluster
              remote {
                enabled-transports = ["akka.remote.test"]
                test {
                  transport-class = "Akka.Remote.Transport.TestTransport, Akka.Remote"
                  local-address = "test://agentmesh@{{id}}:1"
                  registry-key = "{{key}}"
                  scheme-identifier = test
                  maximum-payload-bytes = 256KiB
                }
              }
              cluster {
                roles = ["{{MeshSharding.RoleOf(id)}}", "{{MeshSharding.RoleOf(lab.Home)}}"]
                downing-provider-class = "AgentMesh.Remoting.MeshDowningProvider, AgentMesh.Remoting"
                mesh-downing.down-after = 1s
                failure-detector.acceptable-heartbeat-pause = 2s
                run-coordinated-shutdown-when-down = off
              }
              coordinated-shutdown.phases { cluster-sharding-shutdown-region.timeout = 5s, cluster-leave.timeout = 1s, cluster-exiting.timeout = 1s }
            }
            """))
            .WithFallback(ConfigurationFactory.ParseString(MeshSerializer.Hocon()))
            .WithFallback(ConfigurationFactory.ParseString(PostgresPersistence.Hocon(settings)));
        System = ActorSystem.Create("agentmesh", config);
        _transport = AssociationRegistry.Get(key).TransportFor(new Address("test", "agentmesh", id.ToString(), 1)).Value.Item1;
        Akka.Cluster.Cluster.Get(System).Join(new Address("akka.test", "agentmesh", seed.ToString(), 1));
        StoreLease<PostgresEventStore> lease = _pool.Acquire(System);
        _session = lease.Store.Session;
        var residents = new HomeResidents();
        var environment = new JobEnvironment(id, _ => null, (context, _) => context.System.DeadLetters, TimeProvider.System, () => 0.5, TimeSpan.FromSeconds(30));
        JobEnvironment ofPool = environment with
        {
            Journal = new HomeJournal(PostgresPersistence.JournalPluginId, PostgresPersistence.SnapshotStorePluginId, residents),
            IsHome = _ => true,
        };
        HomeTypes types = MeshSharding.Start(System, environment).StartPool(lab.Home, ofPool, LeasedAllocation.Placement(_session, settings.Lease));
        Jobs = types.Jobs;
        Residents = residents;
        Revival = new PoolRevival(lab.Home.ToString(), _pool, _session.HeldByOthersAsync);
        _session.Lost += residents.StopAll;
        System.ActorOf(ShardWarden.Create(types, _session, MeshSharding.RoleOf(lab.Home), PoolRevivers.Start(System, types, Revival, TimeProvider.System), lease.Dispose));
    }

    public DeviceId Id { get; }

    public ActorSystem System { get; }

    public IActorRef Jobs { get; }

    public HomeResidents Residents { get; }

    public PoolRevival Revival { get; }

    public bool IsKilled => Volatile.Read(ref _killed) == 1;

    public int Shards => _session.Holdings.Count;

    public Task JoinedAsync() => TestWait.UntilAsync(() => Task.FromResult(_session.IsLive && Akka.Cluster.Cluster.Get(System).SelfMember.Status == MemberStatus.Up), "the member has joined");

    /// <summary>Ends it without a word, to the others and to the database, when it is about to send such a message; that is not sent.</summary>
    /// <param name="message">As it stands in the bytes.</param>
    /// <param name="first">Says that this one is the first to come to it: the others go on.</param>
    public void DieAt(byte[] message, Func<bool> first)
    {
        _transport.WriteBehavior.Push(write =>
        {
            if (write.Item2.Span.IndexOf(message) >= 0 && first())
            {
                Kill();
            }

            return IsKilled ? Task.FromResult(true) : _transport.WriteBehavior.DefaultBehavior(write);
        });
        // Nor does the database hear of it any more.
        _proxy.Trap = _ => IsKilled;
    }

    /// <summary>The next commit is made, and its answer does not come.</summary>
    public void LosesAnAnswer() => _proxy.SwallowCommits(1);

    public async ValueTask DisposeAsync()
    {
        Kill();
        await System.Terminate().WaitAsync(TimeSpan.FromMinutes(1));
        await _pool.DisposeAsync();
        _proxy.Dispose();
    }

    /// <summary>The database is out of its reach from now on; the other members are not.</summary>
    public void LosesTheDatabase() => _proxy.Refuses = true;

    public void FindsTheDatabase() => _proxy.Refuses = false;

    /// <summary>Ends it without a word.</summary>
    public bool Kill()
    {
        if (Interlocked.Exchange(ref _killed, 1) == 1)
        {
            return false;
        }

        _transport.WriteBehavior.PushConstant(true);
        _ = Task.Run(() => _proxy.Refuses = true);
        return true;
    }
}
