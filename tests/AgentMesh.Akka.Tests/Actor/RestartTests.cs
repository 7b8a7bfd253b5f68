using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class RestartTests : ActorTest
{
    [Fact]
    public void The_reference_stays_the_same_and_watchers_hear_nothing()
    {
        IActorRef actor = ActorOf(PuppetProps(), "one");
        Watch(actor);
        actor.Tell(new Broken());

        Settle(actor);
        actor.Tell("after");
        ExpectMsg("after");
    }

    [Fact]
    public void Messages_in_the_mailbox_are_kept_in_their_order_and_the_failing_one_is_gone()
    {
        IActorRef actor = ActorOf(PuppetProps());
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(_ => gate.Wait(Limit)));
        actor.Tell(new Broken());
        for (int i = 0; i < 10; i++)
            actor.Tell(i);
        gate.Set();

        Assert.Equal(Enumerable.Range(0, 10).Cast<object>(), ReceiveN(10));
    }

    [Fact]
    public void The_hooks_run_in_their_order()
    {
        IActorRef actor = ActorOf(LivelyProps());
        actor.Tell(new Broken());

        Assert.Equal(["started", "restarting after broken", "stopped", "restarted after broken", "started"], ReceiveN(5));
    }

    [Fact]
    public void PreRestart_gets_the_cause_and_the_message_that_failed()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Explaining(TestActor)));
        actor.Tell("bad");

        ExpectMsg("bad: cannot do bad");
    }

    [Fact]
    public void The_new_instance_is_made_from_the_props()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Configured("from props")));
        actor.Tell("change");
        actor.Tell(new Broken());
        actor.Tell("value");

        ExpectMsg("from props");
    }

    [Fact]
    public void Children_are_stopped_before_the_new_instance_starts()
    {
        IActorRef parent = ActorOf(LivelyProps(), "parent");
        ExpectMsg("started");
        IActorRef child = Child(parent, Props.Create(() => new SlowEnd(TestActor)), "child");
        parent.Tell(new Broken());

        Assert.Equal(["restarting after broken", "stopped", "child ended", "restarted after broken", "started"], ReceiveN(5));
        parent.Tell(Run(context => TestActor.Tell(context.GetChildren().Count())));
        ExpectMsg(0);
        Assert.True(((IInternalActorRef)child).IsTerminated);
    }

    [Fact]
    public void Children_that_PreRestart_spares_are_restarted_with_their_parent()
    {
        IActorRef parent = ActorOf(Props.Create(() => new Sparing(TestActor)), "parent");
        Child(parent, LivelyProps(), "child");
        ExpectMsg("started");
        parent.Tell(new Broken());

        Assert.Equal(["restarting after broken", "stopped", "restarted after broken", "started"], ReceiveN(4));
    }

    [Fact]
    public void Children_do_not_work_while_their_parent_has_failed()
    {
        using var asked = new ManualResetEventSlim();
        using var decide = new ManualResetEventSlim();
        var strategy = new OneForOneStrategy(_ =>
        {
            asked.Set();
            decide.Wait(Limit);
            return Directive.Resume;
        });
        IActorRef parent = ChildActorOf(PuppetProps(), strategy);
        IActorRef child = Child(parent, PuppetProps(), "child");
        parent.Tell(new Broken());
        Assert.True(asked.Wait(Limit));
        Task<IActorRef> answer = child.Ask<IActorRef>(Puppet.Who, Limit);

        Assert.False(answer.Wait(TimeSpan.FromMilliseconds(200)));
        decide.Set();
        Assert.Equal(child, answer.GetAwaiter().GetResult());
    }

    [Fact]
    public void Failures_of_children_wait_until_it_is_known_what_becomes_of_their_parent()
    {
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var holdsGrandparent = new ManualResetEventSlim();
        using var childWorks = new ManualResetEventSlim();
        using var holdsChild = new ManualResetEventSlim();
        IActorRef grandparent = ActorOf(PuppetProps(Deciding("grandparent")), "grandparent");
        IActorRef parent = Child(grandparent, PuppetProps(Deciding("parent")), "parent");
        IActorRef child = Child(parent, PuppetProps(), "child");
        child.Tell(Run(_ =>
        {
            childWorks.Set();
            holdsChild.Wait(Limit);
            throw new Broken("of the child");
        }));
        Assert.True(childWorks.Wait(Limit));
        using var grandparentWorks = new ManualResetEventSlim();
        grandparent.Tell(Run(_ =>
        {
            grandparentWorks.Set();
            holdsGrandparent.Wait(Limit);
        }));
        Assert.True(grandparentWorks.Wait(Limit));
        using var parentWorks = new ManualResetEventSlim();
        parent.Tell(Run(_ =>
        {
            parentWorks.Set();
            throw new Broken("of the parent");
        }));
        Assert.True(parentWorks.Wait(Limit));
        holdsChild.Set();

        Assert.False(SpinWait.SpinUntil(() => !order.IsEmpty, TimeSpan.FromMilliseconds(200)));
        holdsGrandparent.Set();
        Settle(child);
        Assert.Equal(["grandparent", "parent"], order);

        OneForOneStrategy Deciding(string name) => new(_ =>
        {
            order.Enqueue(name);
            return Directive.Resume;
        });
    }

    [Fact]
    public void Children_that_a_restart_stopped_are_not_watched_any_more()
    {
        IActorRef parent = ActorOf(PuppetProps());
        IActorRef child = Child(parent, PuppetProps(), "child");
        Watch(child);
        parent.Tell(Run(context => context.Watch(child)));
        parent.Tell(new Broken());
        ExpectTerminated(child);
        parent.Tell("no end of the child before this");

        ExpectMsg("no end of the child before this");
    }

    [Fact]
    public void What_an_actor_watches_it_watches_after_its_restart_too()
    {
        IActorRef subject = ActorOf(PuppetProps()), watcher = ActorOf(PuppetProps());
        watcher.Tell(Run(context => context.Watch(subject)));
        watcher.Tell(new Broken());
        Settle(watcher);
        Sys.Stop(subject);

        ExpectMsg(new Puppet.Ended(subject));
    }

    [Fact]
    public void A_stop_during_a_restart_wins_once_the_children_have_ended()
    {
        using var holdsChild = new ManualResetEventSlim();
        IActorRef parent = ActorOf(LivelyProps());
        IActorRef child = Child(parent, Props.Create(() => new HeldEnd(holdsChild)), "child");
        Settle(child);
        Watch(parent);
        parent.Tell(new Broken());
        ExpectMsg("started");
        ExpectMsg("restarting after broken");
        ExpectMsg("stopped");
        ((IInternalActorRef)parent).Stop();
        holdsChild.Set();

        ExpectTerminated(parent);
    }

    [Fact]
    public void A_parent_that_waits_for_its_children_is_not_woken_by_a_resume()
    {
        using var holdsChild = new ManualResetEventSlim();
        IActorRef parent = ActorOf(LivelyProps());
        IActorRef child = Child(parent, Props.Create(() => new HeldEnd(holdsChild)), "child");
        Settle(child);
        parent.Tell(new Broken());
        parent.Tell("after the restart");
        ExpectMsg("started");
        ExpectMsg("restarting after broken");
        ExpectMsg("stopped");
        ((IInternalActorRef)parent).Suspend();
        ((IInternalActorRef)parent).Resume(null!);
        ((IInternalActorRef)parent).Resume(null!);
        holdsChild.Set();

        ExpectMsg("restarted after broken");
        ExpectMsg("started");
        ExpectMsg("after the restart");
    }

    private sealed class HeldEnd(ManualResetEventSlim gate) : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(Self);

        protected override void PostStop() => gate.Wait(Limit);
    }

    private sealed class Explaining(IActorRef report) : UntypedActor
    {
        protected override void OnReceive(object message) => throw new Broken($"cannot do {message}");

        protected override void PreRestart(Exception reason, object message) => report.Tell($"{message}: {reason.Message}");
    }

    private sealed class Configured : ReceiveActor
    {
        public Configured(string value)
        {
            Receive<Exception>(failure => throw failure);
            Receive<string>(text => text == "change", _ => value = "changed");
            Receive<string>(_ => Sender.Tell(value));
        }
    }

    private sealed class SlowEnd(IActorRef report) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }

        protected override void PostStop()
        {
            Thread.Sleep(50);
            report.Tell("child ended");
        }
    }

    private sealed class Sparing(IActorRef report) : Puppet(report)
    {
        protected override void PreRestart(Exception reason, object message)
        {
        }
    }
}
