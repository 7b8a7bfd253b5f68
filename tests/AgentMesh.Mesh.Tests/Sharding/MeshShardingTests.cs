using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Sharding;

/// <summary>Two devices in one cluster, with every message between them through the serializer.</summary>
public sealed class MeshShardingTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _key = Guid.NewGuid().ToString("N");
    private readonly ActorSystem _home;
    private readonly ActorSystem _gpu;

    public MeshShardingTests()
    {
        _home = Create(Home);
        _gpu = Create(Gpu);
    }

    public async Task InitializeAsync()
    {
        foreach (ActorSystem system in (ActorSystem[])[_home, _gpu])
        {
            var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Cluster cluster = Cluster.Get(system);
            cluster.RegisterOnMemberUp(() => up.TrySetResult());
            cluster.Join(Cluster.Get(_home).SelfAddress);
            await up.Task.WaitAsync(Patience);
        }
    }

    public async Task DisposeAsync()
    {
        await _gpu.Terminate().WaitAsync(Patience);
        await _home.Terminate().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_job_goes_to_the_workers_of_another_device_and_its_result_comes_home()
    {
        MeshSharding home = Host(_home, Home), gpu = Host(_gpu, Gpu);
        _gpu.ActorOf(Props.Create(() => new Calculator(gpu)), "workers");

        await home.Jobs.Ask<JobAccepted>(new SubmitJob(Job, Spec), Patience);
        JobView view = await home.Jobs.Ask<JobView>(new AwaitJob(Job, DateTimeOffset.MaxValue), Patience);

        Assert.Equal((JobStateName.Completed, "3", Gpu), (view.State, view.Result!.Text, view.Device!.Value));
        Assert.Equal(view, await gpu.JobsOf(Home).Ask<JobView>(new GetJob(Job), Patience));
    }

    [Fact]
    public async Task A_device_cannot_submit_to_another_home_whatever_it_says_of_itself()
    {
        Host(_home, Home);
        MeshSharding gpu = Host(_gpu, Gpu);
        SubmitJob submit = new(Job, SpecOf(command: JobCommand.Program("true")) with { Target = new JobTarget(Home, "@0", "home") });

        Assert.Equal(MeshErrors.NotYours, (await gpu.JobsOf(Home).Ask<JobProblem>(submit, Patience)).Problem.Code);

        // Without a sender, or with one of the victim, it is not from there either.
        gpu.JobsOf(Home).Tell(submit, ActorRefs.NoSender);
        gpu.JobsOf(Home).Tell(submit, ((ExtendedActorSystem)_gpu).Provider.ResolveActorRef(Cluster.Get(_home).SelfAddress + "/user/somebody"));
        Assert.Equal(MeshErrors.UnknownJob, (await gpu.JobsOf(Home).Ask<JobProblem>(new GetJob(Job), Patience)).Problem.Code);
    }

    [Fact]
    public async Task Peers_are_remembered_by_each_home()
    {
        MeshSharding home = Host(_home, Home);
        var id = new PeerId(Home, Gpu);
        await home.Peers.Ask<PeerRecorded>(new RecordPeerFacts(id, Facts, ["192.0.2.1:1"]), Patience);
        Assert.Equal(Facts, (await home.Peers.Ask<PeerView>(new GetPeer(id), Patience)).Facts);
    }

    private static MeshSharding Host(ActorSystem system, DeviceId self) => MeshSharding.Start(system, new JobEnvironment(
        self,
        _ => 5,
        (context, device) => context.System.ActorSelection($"akka.test://agentmesh@{device}:1/user/workers"),
        TimeProvider.System,
        () => 0,
        TimeSpan.FromMinutes(1)));

    private ActorSystem Create(DeviceId device) => ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString(MeshSerializer.Hocon()).WithFallback(ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor.provider = cluster
          remote {
            enabled-transports = ["akka.remote.test"]
            test {
              transport-class = "Akka.Remote.Transport.TestTransport, Akka.Remote"
              local-address = "test://agentmesh@{{device}}:1"
              registry-key = "{{_key}}"
              scheme-identifier = "test"
            }
            flush-wait-on-shutdown = 200ms
          }
          cluster {
            roles = ["{{MeshSharding.RoleOf(device)}}"]
            gossip-interval = 30ms
            leader-actions-interval = 30ms
            run-coordinated-shutdown-when-down = off
          }
          coordinated-shutdown { default-phase-timeout = 2s, phases { cluster-leave.timeout = 2s, cluster-exiting.timeout = 2s, cluster-sharding-shutdown-region.timeout = 2s } }
        }
        """)));

    private sealed class Calculator : ReceiveActor
    {
        public Calculator(MeshSharding sharding)
        {
            Receive<RunAttempt>(order =>
            {
                Sender.Tell(new AttemptStarted(order.JobId, order.Attempt, order.Incarnation));
                sharding.JobsOf(order.JobId.Home).Tell(new AttemptEnded(order.JobId, order.Attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")), Self);
            });
            Receive<AttemptEndedAck>(_ => { });
        }
    }
}
