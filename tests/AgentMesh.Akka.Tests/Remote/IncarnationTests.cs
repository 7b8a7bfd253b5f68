using System.Threading.Channels;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Remote;

namespace AgentMesh.EngineTests.Remote;

/// <summary>Which start of a system may speak, over which connection.</summary>
public sealed class IncarnationTests
{
    private const long First = 0x1_0000_0001;
    private const long Second = 0x2_0000_0002;

    [Fact]
    public async Task An_open_connection_of_a_quarantined_incarnation_is_told_and_carries_nothing_more()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        var probe = new Probe(a);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("a", First);
        connection.Send(peer.Message(a, probe.Ref, "a", "before"));
        Assert.Equal("before", await probe.Next<string>());

        Quarantine(a, peer.Address, First);
        connection.Send(peer.Message(a, probe.Ref, "a", "after"));

        Assert.Equal(Goodbye.Types.Reason.Quarantined, (await connection.Next()).Goodbye.Reason);
        await connection.Ended;
        probe.Ref.Tell("marker");
        Assert.Equal("marker", await probe.Next<string>());
    }

    [Fact]
    public async Task A_quarantine_of_an_incarnation_that_was_never_met_holds_when_it_calls()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        RawPeer peer = await RawPeer.Start(lab, "p");

        Quarantine(a, peer.Address, First);
        RawPeer.Connection refused = await peer.Connect("a");
        refused.Send(peer.Hello("a", First));

        Assert.Equal(Goodbye.Types.Reason.Quarantined, (await refused.Next()).Goodbye.Reason);
        await peer.Greet("a", Second);
    }

    [Fact]
    public async Task An_incarnation_that_was_replaced_cannot_come_back()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        RawPeer peer = await RawPeer.Start(lab, "p");
        await peer.Greet("a", First);
        await peer.Greet("a", Second);

        RawPeer.Connection late = await peer.Connect("a");
        late.Send(peer.Hello("a", First));

        Assert.Equal(Goodbye.Types.Reason.Quarantined, (await late.Next()).Goodbye.Reason);
    }

    [Fact]
    public async Task A_late_answer_to_an_incarnation_that_is_gone_does_not_answer_a_question_of_the_next()
    {
        await using var lab = new RemoteLab();
        var askers = Channel.CreateUnbounded<IActorRef>();
        string there = lab.Start("b").ActorOf(Props.Create(() => new Collector(askers.Writer)), "slow").Path.ToStringWithAddress(RemoteLab.AddressOf("b"));
        ActorSystem first = lab.Start("a");
        _ = first.ActorSelection(there).Ask<string>("?", RemoteLab.Patience);
        IActorRef earlier = await askers.Reader.ReadAsync().AsTask().WaitAsync(RemoteLab.Patience);

        await lab.Kill(first, "a");
        Task<string> answer = lab.Start("a").ActorSelection(there).Ask<string>("?", RemoteLab.Patience);
        IActorRef later = await askers.Reader.ReadAsync().AsTask().WaitAsync(RemoteLab.Patience);
        earlier.Tell("to the first");
        later.Tell("to the second");

        Assert.Equal("to the second", await answer);
    }

    [Fact]
    public async Task System_messages_of_a_replaced_incarnation_do_not_take_the_numbers_of_the_new_one()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        IActorRef victim = a.ActorOf<EchoActor>("victim"), other = a.ActorOf<EchoActor>("other");
        var watcher = new Probe(a, context =>
        {
            context.Watch(victim);
            context.Watch(other);
        });
        await watcher.Ref.Ask<ActorIdentity>(new Identify(1), RemoteLab.Patience);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection old = await peer.Greet("a", First);
        RawPeer.Connection fresh = await peer.Greet("a", Second);

        old.Send(peer.Message(a, other, "a", new Terminate(), systemSequence: 1));
        fresh.Send(peer.Message(a, victim, "a", new Terminate(), systemSequence: 1));

        Assert.Equal(victim, (await watcher.Next<Terminated>()).ActorRef);
        Assert.Equal(1UL, (await fresh.Next()).SystemAck.Through);
        Assert.Equal("alive", await other.Ask<string>("alive", RemoteLab.Patience));
    }

    [Fact]
    public async Task What_an_earlier_connection_still_carries_does_not_arrive_behind_a_later_one()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        var probe = new Probe(a);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection slow = await peer.Greet("a", First, attempt: 1);
        RawPeer.Connection later = await peer.Greet("a", First, attempt: 2);

        later.Send(peer.Message(a, probe.Ref, "a", "second"));
        slow.Send(peer.Message(a, probe.Ref, "a", "first"));
        later.Send(peer.Message(a, probe.Ref, "a", "third"));

        Assert.Equal("second", await probe.Next<string>());
        Assert.Equal("third", await probe.Next<string>());
    }

    [Fact]
    public async Task A_goodbye_of_a_replaced_incarnation_says_nothing_about_the_new_one()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote.watch-failure-detector.acceptable-heartbeat-pause = 1h");
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection old = await peer.Greet("a", First);
        await peer.Greet("a", Second);
        IActorRef there = ((ExtendedActorSystem)a).Provider.ResolveActorRef(peer.Address + "/user/x");
        var watcher = new Probe(a, context => context.Watch(there));
        await watcher.Ref.Ask<ActorIdentity>(new Identify(1), RemoteLab.Patience);

        old.Send(new Frame { Goodbye = new Goodbye { Reason = Goodbye.Types.Reason.Shutdown } });

        await watcher.Ref.Ask<ActorIdentity>(new Identify(2), RemoteLab.Patience);
        watcher.Ref.Tell("marker");
        Assert.Equal("marker", await watcher.Next<object>());
    }

    [Fact]
    public async Task An_incarnation_that_acknowledges_nothing_for_too_long_is_quarantined_and_not_confused()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote { initial-system-message-delivery-timeout = 300ms, resend-interval = 50ms, watch-failure-detector.acceptable-heartbeat-pause = 1h }");
        var events = new Probe(a);
        a.EventStream.Subscribe(events.Ref, typeof(QuarantinedEvent));
        ActorSystem b = lab.Start("b");
        IActorRef there = await a.ActorSelection(b.ActorOf<EchoActor>("echo").Path.ToStringWithAddress(RemoteLab.AddressOf("b"))).ResolveOne(RemoteLab.Patience);

        // Every new connection fails, and the one that is open is cut.
        lab.TransportOf("a").AssociateBehavior.PushError(new Akka.Remote.Transport.InvalidAssociationException("cut"));
        lab.Registry.DeregisterAssociation((new Address("test", "lab", "a", 1), new Address("test", "lab", "b", 1)));
        _ = new Probe(a, context => context.Watch(there));

        Assert.Equal(RemoteLab.AddressOf("b"), (await events.Next<QuarantinedEvent>()).Address);
    }

    [Fact]
    public async Task A_connection_that_comes_too_late_is_closed()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote.handshake-timeout = 100ms");
        var events = new Probe(a);
        a.EventStream.Subscribe(events.Ref, typeof(AssociationErrorEvent));
        var called = new TaskCompletionSource<RawPeer.Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        RawPeer peer = await RawPeer.Start(lab, "p", inbound =>
        {
            var connection = new RawPeer.Connection((Akka.Remote.Transport.TestAssociationHandle)inbound.Association);
            inbound.Association.ReadHandlerSource.SetResult(connection);
            called.TrySetResult(connection);
        });
        Akka.Remote.Transport.TestTransport transport = lab.TransportOf("a");
        TaskCompletionSource<bool> late = transport.AssociateBehavior.PushDelayed();

        a.ActorSelection(peer.Address + "/user/x").Tell("x");
        await events.Next<AssociationErrorEvent>();
        transport.AssociateBehavior.Pop();
        late.SetResult(true);

        RawPeer.Connection connection = await called.Task.WaitAsync(RemoteLab.Patience);
        await connection.Ended;
    }

    [Fact]
    public async Task A_caller_that_does_not_greet_is_hung_up_on()
    {
        await using var lab = new RemoteLab();
        lab.Start("a", "akka.remote.handshake-timeout = 100ms");
        RawPeer peer = await RawPeer.Start(lab, "p");

        RawPeer.Connection silent = await peer.Connect("a");

        await silent.Ended;
    }

    private static void Quarantine(ActorSystem system, Address address, long incarnation) =>
        ((RemoteActorRefProvider)((ExtendedActorSystem)system).Provider).Quarantine(address, AddressUid.ShortOf(incarnation));

    /// <summary>Keeps who asks, and answers nobody.</summary>
    private sealed class Collector : ReceiveActor
    {
        public Collector(ChannelWriter<IActorRef> to) => ReceiveAny(_ => to.TryWrite(Sender));
    }
}
