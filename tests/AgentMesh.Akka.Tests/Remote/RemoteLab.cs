using System.Threading.Channels;
using AgentMesh.Engine;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport;

namespace AgentMesh.EngineTests.Remote;

/// <summary>Actor systems in this process that reach each other over <see cref="TestTransport"/>.</summary>
internal sealed class RemoteLab : IAsyncDisposable
{
    private readonly string _key = Guid.NewGuid().ToString("N");
    private readonly List<ActorSystem> _systems = [];

    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public AssociationRegistry Registry => AssociationRegistry.Get(_key);

    public static Address AddressOf(string host) => new("akka.test", "lab", host, 1);

    public ActorSystem StartMember(string host, string extra = "", EngineSetup? setup = null) => Start(host, """
        akka {
          actor.provider = cluster
          cluster {
            roles = ["all"]
            gossip-interval = 30ms
            leader-actions-interval = 30ms
            leave-patience = 300ms
            run-coordinated-shutdown-when-down = off
            failure-detector { heartbeat-interval = 50ms, acceptable-heartbeat-pause = 400ms, expected-response-after = 300ms }
          }
          coordinated-shutdown { default-phase-timeout = 2s, phases { cluster-leave.timeout = 2s, cluster-exiting.timeout = 2s, cluster-sharding-shutdown-region.timeout = 2s } }
        }

        """ + extra, setup);

    public ActorSystem Start(string host, string extra = "", EngineSetup? setup = null)
    {
        Config config = ConfigurationFactory.ParseString(extra).WithFallback(ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = ERROR
              stdout-loglevel = OFF
              log-dead-letters = off
              actor.provider = remote
              remote {
                enabled-transports = ["akka.remote.test"]
                test {
                  transport-class = "Akka.Remote.Transport.TestTransport, Akka.Remote"
                  local-address = "test://lab@{{host}}:1"
                  registry-key = "{{_key}}"
                  scheme-identifier = "test"
                }
                retry-gate-closed-for = 100ms
                flush-wait-on-shutdown = 200ms
                watch-failure-detector { heartbeat-interval = 50ms, acceptable-heartbeat-pause = 500ms, expected-response-after = 100ms }
              }
            }
            """));
        BootstrapSetup bootstrap = BootstrapSetup.Create().WithConfig(config);
        ActorSystem system = ActorSystem.Create("lab", setup is null ? ActorSystemSetup.Create(bootstrap) : ActorSystemSetup.Create(bootstrap, setup));
        _systems.Add(system);
        return system;
    }

    public TestTransport TransportOf(string host) => Registry.TransportFor(new Address("test", "lab", host, 1)).Value.Item1;

    /// <summary>Ends without a goodbye, as a killed process does.</summary>
    public async Task Kill(ActorSystem system, string host)
    {
        TransportOf(host).WriteBehavior.PushConstant(true);
        await system.Terminate().WaitAsync(Patience);
        _systems.Remove(system);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ActorSystem system in _systems)
            await system.Terminate().WaitAsync(Patience);
        Registry.Reset();
    }
}

/// <summary>A mailbox that a test reads.</summary>
internal sealed class Probe
{
    private readonly Channel<object> _messages = Channel.CreateUnbounded<object>();

    public Probe(ActorSystem system, Action<IUntypedActorContext>? start = null) => Ref = system.ActorOf(Props.Create(() => new Actor(_messages.Writer, start)));

    public IActorRef Ref { get; }

    public async Task<T> Next<T>()
    {
        using var limit = new CancellationTokenSource(RemoteLab.Patience);
        while (true)
        {
            if (await _messages.Reader.ReadAsync(limit.Token) is T wanted)
                return wanted;
        }
    }

    /// <summary>Waits until nothing has come for so long; what came before is thrown away.</summary>
    public async Task Silence(TimeSpan length)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var quiet = new CancellationTokenSource(length);
            try
            {
                await _messages.Reader.ReadAsync(quiet.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < RemoteLab.Patience, "it never became silent");
        }
    }

    public bool IsEmpty => _messages.Reader.Count == 0;

    internal sealed record Do(Action<IUntypedActorContext> What) : INoSerializationVerificationNeeded;

    private sealed class Actor(ChannelWriter<object> to, Action<IUntypedActorContext>? start) : UntypedActor
    {
        protected override void PreStart() => start?.Invoke(Context);

        protected override void OnReceive(object message)
        {
            if (message is Do what)
                what.What(Context);
            else
                to.TryWrite(message);
        }
    }
}

internal sealed class EchoActor : ReceiveActor
{
    public EchoActor() => ReceiveAny(message => Sender.Tell(message));
}
