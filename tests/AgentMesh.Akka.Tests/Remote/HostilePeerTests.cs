using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote;
using Google.Protobuf;

namespace AgentMesh.EngineTests.Remote;

/// <summary>A peer that is who it says, and means harm.</summary>
public sealed class HostilePeerTests
{
    private const long Incarnation = 7;

    [Fact]
    public async Task It_cannot_speak_for_another_system()
    {
        await using var lab = new RemoteLab();
        lab.Start("a");
        RawPeer peer = await RawPeer.Start(lab, "p");
        foreach (string origin in (string[])["akka.test://lab@q:1", "akka.test://lab@p:2", "akka.test://other@p:1", "akka.other://lab@p:1", "nonsense"])
        {
            RawPeer.Connection connection = await peer.Connect("a");
            connection.Send(peer.Hello("a", Incarnation, origin: origin));
            Assert.Equal(Goodbye.Types.Reason.Refused, (await connection.Next()).Goodbye.Reason);
        }
    }

    [Fact]
    public async Task It_cannot_report_the_death_of_an_actor_that_is_not_its_own()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        IActorRef watched = a.ActorOf<EchoActor>("watched");
        var watcher = new Probe(a, context => context.Watch(watched));
        await watcher.Ref.Ask<ActorIdentity>(new Identify(1), RemoteLab.Patience);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("a", Incarnation);

        connection.Send(peer.Message(a, watcher.Ref, "a", new DeathWatchNotification(watched, true, false), systemSequence: 1));

        Assert.Equal(1UL, (await connection.Next()).SystemAck.Through);
        watcher.Ref.Tell("marker");
        Assert.Equal("marker", await watcher.Next<object>());
    }

    [Fact]
    public async Task It_cannot_end_the_watch_of_somebody_else()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef target = b.ActorOf<EchoActor>("target");
        IActorRef there = await a.ActorSelection(target.Path.ToStringWithAddress(RemoteLab.AddressOf("b"))).ResolveOne(RemoteLab.Patience);
        var watcher = new Probe(a, context => context.Watch(there));
        await watcher.Ref.Ask<ActorIdentity>(new Identify(1), RemoteLab.Patience);
        await Eventually(() => lab.Registry.ExistsAssociation(new Address("test", "lab", "a", 1), new Address("test", "lab", "b", 1)));
        await there.Ask<string>("x", RemoteLab.Patience);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("b", Incarnation);
        var asSeenByB = (IInternalActorRef)((ExtendedActorSystem)b).Provider.ResolveActorRef(watcher.Ref.Path.ToSerializationFormatWithAddress(RemoteLab.AddressOf("a")));

        connection.Send(peer.Message(b, target, "b", new Unwatch((IInternalActorRef)target, asSeenByB), systemSequence: 1));
        Assert.Equal(1UL, (await connection.Next()).SystemAck.Through);
        target.Tell(PoisonPill.Instance);

        Assert.Equal(there, (await watcher.Next<Terminated>()).ActorRef);
    }

    [Fact]
    public async Task Messages_in_messages_in_messages_do_not_end_the_process()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        IActorRef echo = a.ActorOf<EchoActor>("echo");
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("a", Incarnation);
        byte[] payload = [];
        for (int i = 0; i < 10_000; i++)
            payload = new SuccessMessage { Status = new Contained { Serializer = 16, Manifest = "S", Payload = UnsafeByteOperations.UnsafeWrap(payload) } }.ToByteArray();
        Frame frame = peer.Message(a, echo, "a", new Status.Success("x"));
        frame.Batch.Envelopes[0].Payload = UnsafeByteOperations.UnsafeWrap(payload);

        connection.Send(frame);

        Assert.Equal("alive", await echo.Ask<string>("alive", RemoteLab.Patience));
    }

    [Fact]
    public async Task A_selection_that_goes_down_and_up_again_and_again_is_refused()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        IActorRef echo = a.ActorOf<EchoActor>("echo");
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("a", Incarnation);
        SelectionPathElement[] steps = [.. Enumerable.Range(0, 100).SelectMany(_ => (SelectionPathElement[])[new SelectChildPattern("*"), SelectParent.Instance])];

        connection.Send(peer.Message(a, ((ExtendedActorSystem)a).Provider.RootGuardian, "a", new ActorSelectionMessage("x", steps)));

        Assert.Equal("alive", await echo.Ask<string>("alive", RemoteLab.Patience));
    }

    [Fact]
    public async Task A_batch_that_names_what_is_not_there_is_dropped_and_the_next_is_read()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        var probe = new Probe(a);
        RawPeer peer = await RawPeer.Start(lab, "p");
        RawPeer.Connection connection = await peer.Greet("a", Incarnation);
        Action<Frame>[] harms =
        [
            frame => frame.Batch.Envelopes[0].Recipient = uint.MaxValue,
            frame => frame.Batch.Envelopes[0].Sender = 99,
            frame => frame.Batch.Envelopes[0].Manifest = 99,
            frame => frame.Batch.Envelopes[0].Serializer = 12345,
            frame => frame.Batch.Envelopes[0].SystemSequence = 1,
            frame => frame.Batch.Envelopes[0].SystemSequence = ulong.MaxValue,
            frame => frame.Batch.Paths[0] = "akka.test://lab@elsewhere:1/user/x",
            frame => frame.Batch.Paths[0] = "akka.test://lab@a:1/user/%zz//\u0000$",
            frame => frame.Batch.Manifests[0] = "System.Diagnostics.Process, System.Diagnostics.Process",
            frame =>
            {
                frame.Batch.Paths.Add("\ud83d\ude00://");
                frame.Batch.Envelopes[0].Sender = 2;
            },
        ];
        foreach (Action<Frame> harm in harms)
        {
            Frame frame = peer.Message(a, probe.Ref, "a", new Identify("harm"));
            harm(frame);
            connection.Send(frame);
        }

        connection.Send(peer.Message(a, probe.Ref, "a", "marker"));

        Assert.Equal("marker", await probe.Next<string>());
    }

    private static async Task Eventually(Func<bool> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < RemoteLab.Patience, "it never came true");
            await Task.Delay(10);
        }
    }
}
