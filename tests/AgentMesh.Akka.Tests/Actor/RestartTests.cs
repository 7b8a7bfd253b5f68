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
        IActorRef child = Child(parent, Props.Create(() => new Puppet(CreateTestProbe().Ref, null)), "child");
        parent.Tell(new Broken());
        Assert.True(asked.Wait(Limit));
        Task<IActorRef> answer = child.Ask<IActorRef>(Puppet.Who, Limit);

        Assert.False(answer.Wait(TimeSpan.FromMilliseconds(100)));
        decide.Set();
        Assert.Equal(child, answer.GetAwaiter().GetResult());
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
