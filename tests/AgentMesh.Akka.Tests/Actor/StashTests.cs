using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class StashTests : ActorTest
{
    public StashTests()
        : base("small.mailbox { mailbox-type = \"Akka.Dispatch.UnboundedDequeBasedMailbox\", stash-capacity = 2 }")
    {
    }

    [Fact]
    public void Unstashed_messages_come_in_the_order_they_were_put_aside_and_before_later_ones()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        Send(actor, 1, 2, 3);
        using var gate = new ManualResetEventSlim();
        actor.Tell(new Action(() => gate.Wait(Limit)));
        Send(actor, "open", 4);
        gate.Set();

        Assert.Equal([1, 2, 3, 4], ReceiveN(4));
    }

    [Fact]
    public void Unstashed_messages_keep_their_senders()
    {
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        asker.Send(actor, 1);
        actor.Tell("open");

        ExpectMsgFrom(asker.Ref, 1);
    }

    [Fact]
    public void Unstash_brings_back_the_oldest_only()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        Send(actor, 1, 2, "one", 3);

        ExpectMsg(1);
        actor.Tell("open");
        Assert.Equal([2, 3], ReceiveN(2));
    }

    [Fact]
    public void The_same_message_cannot_be_put_aside_twice() => EventFilter.Exception<IllegalActorStateException>().ExpectOne(() =>
        ChildActorOf(Props.Create(() => new Door(TestActor)), SupervisorStrategy.StoppingStrategy).Tell("twice"));

    [Fact]
    public void A_full_stash_fails_the_actor()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)).WithMailbox("small.mailbox"));

        EventFilter.Exception<StashOverflowException>().ExpectOne(() => Send(actor, 1, 2, 3));
    }

    [Fact]
    public void The_capacity_of_the_props_limits_the_stash()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)).WithStashCapacity(1));

        EventFilter.Exception<StashOverflowException>().ExpectOne(() => Send(actor, 1, 2));
    }

    [Fact]
    public void A_restart_puts_what_was_aside_back_into_the_mailbox()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        Send(actor, 1, 2, new Broken(), "open");

        Assert.Equal([1, 2], ReceiveN(2));
    }

    [Fact]
    public void What_is_prepended_comes_back_before_what_was_aside()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        actor.Tell(1);
        actor.Tell(new Func<IStash, int>(stash =>
        {
            stash.Prepend([new Envelope(10, TestActor), new Envelope(11, TestActor)]);
            return stash.Count;
        }));
        ExpectMsg(3);
        actor.Tell("open");

        Assert.Equal([10, 11, 1], ReceiveN(3));
    }

    [Fact]
    public void A_stash_that_was_cleared_is_empty()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        Send(actor, 1, 2, new Func<IStash, int>(stash => stash.ClearStash().Count()), new Func<IStash, int>(stash => stash.Count), "open", 3);

        Assert.Equal([2, 0, 3], ReceiveN(3));
    }

    [Fact]
    public void Only_what_a_filter_takes_is_unstashed()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        Send(actor, 1, 2, 3, 4, new Func<IStash, int>(stash =>
        {
            stash.UnstashAll(envelope => (int)envelope.Message % 2 == 0);
            return stash.Count;
        }));
        ExpectMsg(2);
        actor.Tell("open");

        Assert.Equal([1, 2, 3, 4], ReceiveN(4).Cast<int>().Order());
    }

    [Fact]
    public void What_is_aside_when_the_actor_ends_becomes_dead_letters()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));

        EventFilter.DeadLetter<int>().Expect(2, () => Send(actor, 1, 2, PoisonPill.Instance));
    }

    [Fact]
    public void A_stashed_end_of_a_watched_actor_is_delivered_once_it_is_unstashed()
    {
        IActorRef other = ActorOf(PuppetProps());
        IActorRef actor = ActorOf(Props.Create(() => new Door(TestActor)));
        actor.Tell(new Watching(other));
        Sys.Stop(other);
        AwaitCondition(() => ((IInternalActorRef)other).IsTerminated);
        actor.Tell("open");

        ExpectMsg(other);
    }

    private static void Send(IActorRef actor, params object[] messages)
    {
        foreach (object message in messages)
            actor.Tell(message);
    }

    private sealed record Watching(IActorRef Actor);

    /// <summary>Puts everything aside until it is opened.</summary>
    private sealed class Door : ReceiveActor, IWithStash
    {
        public Door(IActorRef report)
        {
            Receive<string>(text => text == "open", _ =>
            {
                Become(() =>
                {
                    Receive<Terminated>(terminated => report.Tell(terminated.ActorRef));
                    ReceiveAny(report.Forward);
                });
                Stash.UnstashAll();
            });
            Receive<string>(text => text == "one", _ =>
            {
                BecomeStacked(() => ReceiveAny(message =>
                {
                    report.Forward(message);
                    UnbecomeStacked();
                }));
                Stash.Unstash();
            });
            Receive<string>(text => text == "twice", _ =>
            {
                Stash.Stash();
                Stash.Stash();
            });
            Receive<Action>(action => action());
            Receive<Func<IStash, int>>(look => report.Tell(look(Stash)));
            Receive<Watching>(watching => Context.Watch(watching.Actor));
            Receive<Exception>(failure => throw failure);
            ReceiveAny(_ => Stash.Stash());
        }

        public IStash Stash { get; set; } = null!;
    }
}
