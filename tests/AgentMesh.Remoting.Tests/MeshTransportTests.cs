using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Transport;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote;

namespace AgentMesh.Remoting.Tests;

/// <summary>Actor systems over real, encrypted connections on loopback.</summary>
public sealed class MeshTransportTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Device _a = new();
    private readonly Device _b = new();

    public Task InitializeAsync()
    {
        _a.Meet(_b);
        _b.Meet(_a);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task Actors_of_two_devices_talk()
    {
        _b.System.ActorOf<Echo>("echo");

        IActorRef echo = await _a.System.ActorSelection(_b.Address + "/user/echo").ResolveOne(Patience);

        Assert.Equal("hello", await echo.Ask<string>("hello", Patience));
        Assert.Equal(_b.Id.ToString(), echo.Path.Address.Host);
    }

    [Fact]
    public async Task A_hundred_thousand_messages_keep_their_order()
    {
        const int Count = 100_000;
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef counter = _b.System.ActorOf(Props.Create(() => new InOrder(Count, done)));
        IActorRef there = await _a.System.ActorSelection(counter.Path.ToStringWithAddress(_b.Address)).ResolveOne(Patience);
        for (int i = 0; i < Count; i++)
        {
            there.Tell(i);
            if (i % 10_000 == 9_999)
            {
                // No more than the outbound queue takes.
                await there.Ask<int>("where", Patience);
            }
        }

        Assert.True(await done.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_new_actor_system_of_the_same_device_takes_over()
    {
        _b.System.ActorOf<Echo>("echo");
        Assert.Equal("1", await (await _a.System.ActorSelection(_b.Address + "/user/echo").ResolveOne(Patience)).Ask<string>("1", Patience));

        await _b.RestartSystemAsync();
        _b.System.ActorOf<Echo>("echo");

        await AnswersAsync("2");
    }

    [Fact]
    public async Task Watchers_on_other_devices_learn_at_once_that_an_actor_system_ends()
    {
        _b.System.ActorOf<Echo>("echo");
        IActorRef echo = await _a.System.ActorSelection(_b.Address + "/user/echo").ResolveOne(Patience);
        var ended = new TaskCompletionSource<Terminated>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef watcher = _a.System.ActorOf(Props.Create(() => new Watcher(echo, ended)));
        await watcher.Ask<ActorIdentity>(new Identify(1), Patience);
        await echo.Ask<string>("x", Patience);

        await _b.System.Terminate().WaitAsync(Patience);

        // The failure detector would take longer than the patience of this test.
        Assert.Equal(echo, (await ended.Task.WaitAsync(Patience)).ActorRef);
    }

    [Fact]
    public async Task A_quarantined_actor_system_is_told_and_the_next_one_of_the_device_is_welcome()
    {
        _b.System.ActorOf<Echo>("echo");
        IActorRef echo = await _a.System.ActorSelection(_b.Address + "/user/echo").ResolveOne(Patience);
        var told = new TaskCompletionSource<ThisActorSystemQuarantinedEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        _b.System.EventStream.Subscribe(_b.System.ActorOf(Props.Create(() => new Listener(told))), typeof(ThisActorSystemQuarantinedEvent));

        ((RemoteActorRefProvider)((ExtendedActorSystem)_a.System).Provider).Quarantine(_b.Address, AddressUidExtension.Uid(_b.System));

        Assert.Equal(_a.Address, (await told.Task.WaitAsync(Patience)).RemoteAddress);
        await Assert.ThrowsAsync<AskTimeoutException>(() => echo.Ask<string>("x", TimeSpan.FromMilliseconds(200)));
        await _b.RestartSystemAsync();
        _b.System.ActorOf<Echo>("echo");
        await AnswersAsync("again");
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_dropped_and_others_follow()
    {
        _b.System.ActorOf<Echo>("echo");
        IActorRef echo = await _a.System.ActorSelection(_b.Address + "/user/echo").ResolveOne(Patience);
        string large = new('x', 400 * 1024);

        echo.Tell(new string('x', 600 * 1024));

        Assert.Equal(large, await echo.Ask<string>(large, Patience));
    }

    /// <summary>Asks until the actor system at the other device is there.</summary>
    private async Task AnswersAsync(string question)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                Assert.Equal(question, await _a.System.ActorSelection(_b.Address + "/user/echo").Ask<string>(question, TimeSpan.FromMilliseconds(500)));
                return;
            }
            catch (AskTimeoutException) when (TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                // Not there yet.
            }
        }
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef watched, TaskCompletionSource<Terminated> ended)
        {
            Context.Watch(watched);
            Receive<Terminated>(message => ended.TrySetResult(message));
        }
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(TaskCompletionSource<ThisActorSystemQuarantinedEvent> told) => Receive<ThisActorSystemQuarantinedEvent>(message => told.TrySetResult(message));
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(message => Sender.Tell(message));
    }

    private sealed class InOrder : ReceiveActor
    {
        public InOrder(int count, TaskCompletionSource<bool> done)
        {
            int next = 0;
            Receive<string>(_ => Sender.Tell(next));
            Receive<int>(number =>
            {
                if (number != next++)
                {
                    done.TrySetResult(false);
                }
                else if (next == count)
                {
                    done.TrySetResult(true);
                }
            });
        }
    }

    private sealed class Device : IAdmission, IPeerDirectory, IAsyncDisposable
    {
        private readonly Dictionary<DeviceId, (DevicePublicKey Key, IPEndPoint At)> _known = [];
        private readonly DeviceIdentity _identity = DeviceIdentity.Create(SystemEntropy.Instance);
        private readonly MeshEndpoint _endpoint;
        private readonly ConnectionHub _hub;

        public Device()
        {
            var settings = new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] };
            _endpoint = MeshEndpoint.Open(_identity, this, new InitiationStamps(0, null), settings, SystemEntropy.Instance, TimeProvider.System);
            _hub = new ConnectionHub(_endpoint, this, TimeProvider.System);
            _hub.Start();
            System = StartSystem();
        }

        public DeviceId Id => _identity.Id;

        public ActorSystem System { get; private set; }

        public Address Address => new("akka.mesh", "agentmesh", Id.ToString(), 1);

        public void Meet(Device other) => _known[other.Id] = (other._identity.PublicKey, other._endpoint.LocalAddresses[0]);

        public async Task RestartSystemAsync()
        {
            await System.Terminate().WaitAsync(Patience);
            System = StartSystem();
        }

        public bool TryGet(DeviceId id, out DevicePublicKey key, out IReadOnlyList<IPEndPoint> addresses)
        {
            bool found = _known.TryGetValue(id, out (DevicePublicKey Key, IPEndPoint At) place);
            key = place.Key;
            addresses = found ? [place.At] : [];
            return found;
        }

        public bool IsAdmitted(DevicePublicKey key) => _known.Values.Any(place => place.Key == key);

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;

        public async ValueTask DisposeAsync()
        {
            await System.Terminate().WaitAsync(Patience);
            await _hub.DisposeAsync();
            await _endpoint.DisposeAsync();
        }

        private ActorSystem StartSystem() => ActorSystem.Create("agentmesh", ActorSystemSetup.Create(
            new MeshTransportSetup(_hub, TimeProvider.System),
            BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString("""
                akka {
                  loglevel = ERROR
                  stdout-loglevel = OFF
                  log-dead-letters = off
                  actor.provider = remote
                  remote {
                    watch-failure-detector.acceptable-heartbeat-pause = 1h
                    enabled-transports = ["akka.remote.mesh"]
                    mesh.transport-class = "AgentMesh.Remoting.MeshTransport, AgentMesh.Remoting"
                  }
                }
                """))));
    }
}
