using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace AgentMesh.EngineTests.Remote;

/// <summary>Whom a system asks for heartbeats, seen from the other end.</summary>
public sealed class RemoteWatchTests
{
    private const long Incarnation = 5;

    // The peer does not answer: it must not be given up meanwhile, which ends the heartbeats too.
    private const string Forbearing = "akka.remote.watch-failure-detector.acceptable-heartbeat-pause = 1h";

    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task A_system_is_asked_for_heartbeats_as_long_as_somebody_watches_an_actor_there()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", Forbearing);
        (RawPeer peer, Probe heartbeats) = await Start(lab, a);
        IActorRef there = Actor(a, peer);
        var first = new Probe(a, context => context.Watch(there));
        var second = new Probe(a, context => context.Watch(there));
        await heartbeats.Next<string>();

        await first.Ref.GracefulStop(RemoteLab.Patience);
        for (int i = 0; i < 5; i++)
            await heartbeats.Next<string>();
        second.Ref.Tell(new Probe.Do(context => context.Unwatch(there)));
        await heartbeats.Silence(Quiet);

        second.Ref.Tell(new Probe.Do(context => context.Watch(there)));
        await heartbeats.Next<string>();
        await second.Ref.GracefulStop(RemoteLab.Patience);
        await heartbeats.Silence(Quiet);
    }

    [Fact]
    public async Task A_system_whose_watched_actors_have_all_ended_is_not_asked_any_more()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", Forbearing);
        (RawPeer peer, Probe heartbeats) = await Start(lab, a);
        IActorRef byPath = Actor(a, peer), incarnation = ((ExtendedActorSystem)a).Provider.ResolveActorRef(byPath.Path.WithUid(77));
        var watcher = new Probe(a, context => context.Watch(byPath));
        await heartbeats.Next<string>();

        RawPeer.Connection connection = await peer.Greet("a", Incarnation);
        connection.Send(peer.Message(a, watcher.Ref, "a", new DeathWatchNotification(incarnation, true, false), systemSequence: 1));

        Assert.Equal(byPath.Path, (await watcher.Next<Terminated>()).ActorRef.Path);
        await heartbeats.Silence(Quiet);
    }

    private static IActorRef Actor(ActorSystem system, RawPeer peer) => ((ExtendedActorSystem)system).Provider.ResolveActorRef(peer.Address + "/user/x");

    private static async Task<(RawPeer Peer, Probe Heartbeats)> Start(RemoteLab lab, ActorSystem reporting)
    {
        var heartbeats = new Probe(reporting);
        RawPeer peer = await RawPeer.Start(lab, "p", inbound =>
        {
            var handle = (TestAssociationHandle)inbound.Association;
            handle.ReadHandlerSource.SetResult(new HeartbeatCounter(handle, heartbeats.Ref));
        });
        return (peer, heartbeats);
    }

    /// <summary>Says welcome, and reports each message to the remote watcher.</summary>
    private sealed class HeartbeatCounter(TestAssociationHandle handle, IActorRef to) : IHandleEventListener
    {
        public void Notify(IHandleEvent ev)
        {
            if (ev is not InboundPayload payload)
                return;
            Frame frame = Frame.Parser.ParseFrom(payload.Payload);
            if (frame.Hello is not null)
                handle.Write(new Frame { Welcome = new Welcome { Incarnation = (ulong)Incarnation } }.ToByteString());
            foreach (AgentMesh.Engine.Wire.Envelope envelope in frame.Batch?.Envelopes ?? [])
            {
                if (frame.Batch!.Paths[(int)envelope.Recipient].Contains("remote-watcher", StringComparison.Ordinal))
                    to.Tell("heartbeat");
            }
        }
    }
}
