using Akka.Actor;
using Akka.Event;
using Akka.Remote;
using Google.Protobuf;

namespace AgentMesh.EngineTests.Remote;

public sealed class RemotingTests
{
    private static readonly TimeSpan Patience = RemoteLab.Patience;

    [Fact]
    public async Task An_actor_elsewhere_answers_an_ask_and_a_selection()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        b.ActorOf<EchoActor>("echo");

        ActorSelection selection = a.ActorSelection(RemoteLab.AddressOf("b") + "/user/echo");
        Assert.Equal("hello", await selection.Ask<string>("hello", Patience));
        IActorRef echo = await selection.ResolveOne(Patience);
        Assert.Equal(42, await echo.Ask<int>(42, Patience));
        Assert.Equal(RemoteLab.AddressOf("b"), echo.Path.Address);
        await Assert.ThrowsAsync<ActorNotFoundException>(() => a.ActorSelection(RemoteLab.AddressOf("b") + "/user/nobody").ResolveOne(Patience));
    }

    [Fact]
    public async Task A_sender_of_another_system_is_believed_unless_only_own_senders_are()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), open = lab.Start("b"), strict = lab.Start("c", "akka.remote.own-senders-only = on");
        foreach (ActorSystem system in (ActorSystem[])[open, strict])
        {
            var probe = new Probe(system);
            IActorRef there = await Resolve(a, probe.Ref);
            IActorRef foreign = ((ExtendedActorSystem)a).Provider.ResolveActorRef(RemoteLab.AddressOf("z") + "/user/someone");
            IActorRef own = ((ExtendedActorSystem)a).Provider.ResolveActorRef(probe.Ref.Path.ToStringWithAddress(RemoteLab.AddressOf(system == open ? "b" : "c")));
            there.Tell("for another", foreign);
            there.Tell("as yourself", own);
            there.Tell("as nobody", ActorRefs.NoSender);
            there.Tell("as myself", a.ActorOf<EchoActor>());
            string[] expected = system == open ? ["for another", "as yourself", "as nobody", "as myself"] : ["as nobody", "as myself"];
            foreach (string text in expected)
                Assert.Equal(text, await probe.Next<string>());
        }
    }

    [Fact]
    public async Task Systems_that_refuse_harmful_messages_keep_their_actors()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), open = lab.Start("b"), strict = lab.Start("c", "akka.remote.refuse-harmful = on");
        foreach (ActorSystem system in (ActorSystem[])[open, strict])
        {
            IActorRef target = system.ActorOf<EchoActor>("target");
            string path = target.Path.ToStringWithAddress(RemoteLab.AddressOf(system == open ? "b" : "c"));
            IActorRef there = await a.ActorSelection(path).ResolveOne(Patience);
            var watcher = new Probe(system, context => context.Watch(target));

            a.ActorSelection(path).Tell(PoisonPill.Instance);
            there.Tell(Kill.Instance);
            there.Tell(PoisonPill.Instance);
            if (system == open)
            {
                await watcher.Next<Terminated>();
            }
            else
            {
                Assert.Equal("alive", await there.Ask<string>("alive", Patience));
            }
        }
    }

    [Fact]
    public async Task A_reference_in_a_message_leads_back_to_its_actor()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        b.ActorOf<EchoActor>("echo");
        IActorRef own = a.ActorOf<EchoActor>("own");

        IActorRef back = await a.ActorSelection(RemoteLab.AddressOf("b") + "/user/echo").Ask<IActorRef>(own, Patience);

        Assert.Equal(own, back);
    }

    [Fact]
    public async Task Messages_of_one_sender_arrive_in_order()
    {
        const int Count = 20_000;
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        var probe = new Probe(b);
        IActorRef there = await Resolve(a, probe.Ref);

        for (int i = 0; i < Count; i++)
            there.Tell(i);

        for (int i = 0; i < Count; i++)
            Assert.Equal(i, await probe.Next<int>());
    }

    [Fact]
    public async Task A_watcher_is_told_of_the_end_of_an_actor_elsewhere()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef target = b.ActorOf<EchoActor>("target");
        IActorRef there = await Resolve(a, target);
        var watcher = new Probe(a, context => context.Watch(there));
        await watcher.Ref.Ask<ActorIdentity>(new Identify(1), Patience);
        await there.Ask<string>("the watch is on its way before this", Patience);

        target.Tell(PoisonPill.Instance);

        Terminated ended = await watcher.Next<Terminated>();
        Assert.Equal((there, true, false), (ended.ActorRef, ended.ExistenceConfirmed, ended.AddressTerminated));
    }

    [Fact]
    public async Task Watching_what_never_was_is_answered()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a");
        lab.Start("b");
        IActorRef nobody = ((ExtendedActorSystem)a).Provider.ResolveActorRef(RemoteLab.AddressOf("b") + "/user/nobody");
        var watcher = new Probe(a, context => context.Watch(nobody));

        Assert.False((await watcher.Next<Terminated>()).ExistenceConfirmed);
    }

    [Fact]
    public async Task A_watcher_is_told_when_the_whole_system_stays_silent()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef there = await Resolve(a, b.ActorOf<EchoActor>("target"));
        var watcher = new Probe(a, context => context.Watch(there));
        await Task.Delay(200);

        lab.TransportOf("b").WriteBehavior.PushConstant(true);

        Assert.True((await watcher.Next<Terminated>()).AddressTerminated);
        lab.TransportOf("b").WriteBehavior.Pop();
    }

    [Fact]
    public async Task A_system_that_shuts_down_says_goodbye_to_watchers()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote.watch-failure-detector.acceptable-heartbeat-pause = 1h"), b = lab.Start("b");
        IActorRef there = await Resolve(a, b.ActorOf<EchoActor>("target"));
        var watcher = new Probe(a, context => context.Watch(there));
        await Task.Delay(200);

        await b.Terminate().WaitAsync(Patience);

        Assert.Equal(there, (await watcher.Next<Terminated>()).ActorRef);
    }

    [Fact]
    public async Task A_restarted_system_at_the_same_address_is_reached_and_the_old_actors_are_gone()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote.watch-failure-detector.acceptable-heartbeat-pause = 1h");
        ActorSystem b = lab.Start("b");
        IActorRef old = await Resolve(a, b.ActorOf<EchoActor>("echo"));
        var watcher = new Probe(a, context => context.Watch(old));
        await Task.Delay(200);
        await lab.Kill(b, "b");

        ActorSystem again = lab.Start("b");
        again.ActorOf<EchoActor>("echo");

        Assert.Equal("x", await Retry(() => a.ActorSelection(RemoteLab.AddressOf("b") + "/user/echo").Ask<string>("x", TimeSpan.FromMilliseconds(300))));
        Assert.Equal(old, (await watcher.Next<Terminated>()).ActorRef);
    }

    [Fact]
    public async Task A_quarantined_incarnation_is_told_so_and_a_new_one_is_welcome()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        var quarantined = new Probe(b);
        b.EventStream.Subscribe(quarantined.Ref, typeof(ThisActorSystemQuarantinedEvent));
        IActorRef echo = await Resolve(a, b.ActorOf<EchoActor>("echo"));
        a.ActorOf<EchoActor>("echo");

        ((RemoteActorRefProvider)((ExtendedActorSystem)a).Provider).Quarantine(RemoteLab.AddressOf("b"), AddressUidExtension.Uid(b));

        b.ActorSelection(RemoteLab.AddressOf("a") + "/user/echo").Tell("x");
        await quarantined.Next<ThisActorSystemQuarantinedEvent>();
        await Assert.ThrowsAsync<AskTimeoutException>(() => echo.Ask<string>("x", TimeSpan.FromMilliseconds(300)));

        await lab.Kill(b, "b");
        lab.Start("b").ActorOf<EchoActor>("echo");
        Assert.Equal("x", await Retry(() => a.ActorSelection(RemoteLab.AddressOf("b") + "/user/echo").Ask<string>("x", TimeSpan.FromMilliseconds(300))));
    }

    [Fact]
    public async Task A_quarantine_of_another_incarnation_changes_nothing()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef echo = await Resolve(a, b.ActorOf<EchoActor>("echo"));

        ((RemoteActorRefProvider)((ExtendedActorSystem)a).Provider).Quarantine(RemoteLab.AddressOf("b"), AddressUidExtension.Uid(b) ^ 1);

        Assert.Equal("x", await echo.Ask<string>("x", Patience));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task System_messages_survive_lost_frames(int seed)
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a", "akka.remote { resend-interval = 50ms, watch-failure-detector.acceptable-heartbeat-pause = 1h }");
        ActorSystem b = lab.Start("b", "akka.remote { resend-interval = 50ms, watch-failure-detector.acceptable-heartbeat-pause = 1h }");
        IActorRef[] targets = [.. Enumerable.Range(0, 50).Select(i => b.ActorOf<EchoActor>($"t{i}"))];
        IActorRef first = await Resolve(a, targets[0]);
        IActorRef[] there = [.. targets.Select(target => ((ExtendedActorSystem)a).Provider.ResolveActorRef(target.Path.ToSerializationFormatWithAddress(RemoteLab.AddressOf("b"))))];
        var random = new Random(seed);
        foreach (string host in (string[])["a", "b"])
        {
            Akka.Remote.Transport.TestTransport transport = lab.TransportOf(host);
            transport.WriteBehavior.Push(write =>
            {
                bool lost;
                lock (random)
                    lost = random.Next(3) == 0;
                return lost ? Task.FromResult(true) : transport.WriteBehavior.DefaultBehavior(write);
            });
        }

        var watcher = new Probe(a, context =>
        {
            foreach (IActorRef each in there)
                context.Watch(each);
        });
        foreach (IActorRef target in targets)
            target.Tell(PoisonPill.Instance);

        HashSet<IActorRef> ended = [];
        while (ended.Count < targets.Length)
            Assert.True(ended.Add((await watcher.Next<Terminated>()).ActorRef));
        Assert.Contains(first, ended);
    }

    [Fact]
    public async Task A_message_that_is_too_large_or_has_no_serializer_is_dropped_and_others_follow()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef echo = await Resolve(a, b.ActorOf<EchoActor>("echo"));

        echo.Tell(new string('x', 100_000));
        echo.Tell(new object());

        Assert.Equal("y", await echo.Ask<string>("y", Patience));
    }

    [Fact]
    public async Task Frames_that_are_none_do_no_harm()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.Start("a"), b = lab.Start("b");
        IActorRef echo = await Resolve(a, b.ActorOf<EchoActor>("echo"));
        var random = new Random(5);
        Akka.Remote.Transport.TestTransport attacker = new(new Address("test", "lab", "evil", 1), lab.Registry);
        (await attacker.Listen()).Item2.SetResult(new Akka.Remote.Transport.ActorAssociationEventListener(new Probe(a).Ref));
        for (int i = 0; i < 500; i++)
        {
            Akka.Remote.Transport.AssociationHandle handle = await attacker.Associate(new Address("test", "lab", "b", 1));
            handle.ReadHandlerSource.SetResult(new Akka.Remote.Transport.ActorHandleEventListener(new Probe(a).Ref));
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            handle.Write(ByteString.CopyFrom(bytes));
        }

        Assert.Equal("y", await echo.Ask<string>("y", Patience));
    }

    private static async Task<IActorRef> Resolve(ActorSystem from, IActorRef target) =>
        await from.ActorSelection(target.Path.ToStringWithAddress(((ExtendedActorSystem)from).Provider is RemoteActorRefProvider ? AddressOfSystem(target) : target.Path.Address)).ResolveOne(Patience);

    private static Address AddressOfSystem(IActorRef target) => ((IInternalActorRef)target).Provider.DefaultAddress;

    private static async Task<T> Retry<T>(Func<Task<T>> attempt)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (Exception) when (TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(20);
            }
        }
    }
}
