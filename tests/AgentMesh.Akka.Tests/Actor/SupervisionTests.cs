using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class SupervisionTests : ActorTest
{
    [Fact]
    public void A_resumed_child_keeps_its_instance_and_goes_on()
    {
        IActorRef child = ChildActorOf(Props.Create<Counter>(), Always(Directive.Resume));
        child.Tell("count");
        child.Tell(new Broken());
        child.Tell("count");

        Assert.Equal([1, 2], ReceiveN(2));
    }

    [Fact]
    public void A_restarted_child_is_a_new_instance()
    {
        IActorRef child = ChildActorOf(Props.Create<Counter>(), Always(Directive.Restart));
        child.Tell("count");
        child.Tell(new Broken());
        child.Tell("count");

        Assert.Equal([1, 1], ReceiveN(2));
    }

    [Fact]
    public void A_stopped_child_ends()
    {
        IActorRef child = ChildActorOf(Props.Create<Counter>(), Always(Directive.Stop));
        Watch(child);
        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void An_escalated_failure_fails_the_supervisor()
    {
        IActorRef parent = ActorOf(Props.Create(() => new Escalating(TestActor)), "parent");
        IActorRef child = Child(parent, PuppetProps(), "child");
        Watch(child);
        child.Tell(new Broken("deep"));

        ExpectMsg("parent restarts after deep");
        ExpectTerminated(child);
    }

    [Fact]
    public void One_for_one_leaves_the_siblings_alone()
    {
        (IActorRef failing, IActorRef sibling) = Siblings(new OneForOneStrategy(_ => Directive.Restart));
        failing.Tell(new Broken());

        ExpectMsg("restarting after broken");
        ExpectMsg("stopped");
        ExpectMsg("restarted after broken");
        ExpectMsg("started");
        sibling.Tell("only now");
        ExpectMsg("only now");
    }

    [Fact]
    public void All_for_one_restarts_the_siblings_too()
    {
        (IActorRef failing, _) = Siblings(new AllForOneStrategy(_ => Directive.Restart));
        failing.Tell(new Broken());

        object[] reports = [.. ReceiveN(8)];
        foreach (string report in (string[])["restarting after broken", "stopped", "restarted after broken", "started"])
            Assert.Equal(2, reports.Count(report.Equals));
    }

    [Fact]
    public void All_for_one_stops_the_siblings_too()
    {
        (IActorRef failing, IActorRef sibling) = Siblings(new AllForOneStrategy(_ => Directive.Stop));
        IgnoreMessages<string>();
        Watch(failing);
        Watch(sibling);
        failing.Tell(new Broken());

        ExpectMsgAllOf<object>(new Terminated(failing, true, false), new Terminated(sibling, true, false));
    }

    [Theory]
    [InlineData(typeof(ActorInitializationException), Directive.Stop)]
    [InlineData(typeof(ActorKilledException), Directive.Stop)]
    [InlineData(typeof(InvalidOperationException), Directive.Restart)]
    public void The_default_decider_stops_what_cannot_go_on_and_restarts_the_rest(Type failure, Directive directive) =>
        Assert.Equal(directive, SupervisorStrategy.DefaultDecider.Decide((Exception)Activator.CreateInstance(failure)!));

    [Fact]
    public void The_default_decider_stops_after_a_death_pact() =>
        Assert.Equal(Directive.Stop, SupervisorStrategy.DefaultDecider.Decide(new DeathPactException(TestActor)));

    [Fact]
    public void The_stopping_strategy_stops_whatever_fails()
    {
        IActorRef child = ChildActorOf(Props.Create<Counter>(), SupervisorStrategy.StoppingStrategy);
        Watch(child);
        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void The_sender_while_a_supervisor_decides_is_the_child_that_failed()
    {
        var seen = new TaskCompletionSource<IActorRef>();
        IActorRef parent = ActorOf(Props.Create(() => new Looking(TestActor, seen)));
        IActorRef child = Child(parent, PuppetProps(), "child");
        child.Tell(new Broken());

        Assert.Equal(child, seen.Task.WaitAsync(Limit).GetAwaiter().GetResult());
    }

    [Fact]
    public void A_decider_of_pairs_takes_the_first_that_fits()
    {
        IDecider decider = Decider.From(
            Directive.Escalate, Directive.Resume.When<ArgumentNullException>(), Directive.Stop.When<ArgumentException>(), Directive.Restart.When<ArgumentOutOfRangeException>());

        Assert.Equal(Directive.Resume, decider.Decide(new ArgumentNullException()));
        Assert.Equal(Directive.Stop, decider.Decide(new ArgumentOutOfRangeException()));
        Assert.Equal(Directive.Escalate, decider.Decide(new Broken()));
    }

    [Fact]
    public void The_strategy_of_the_props_goes_before_that_of_the_actor()
    {
        IActorRef parent = ActorOf(PuppetProps(Always(Directive.Restart)).WithSupervisorStrategy(Always(Directive.Stop)));
        IActorRef child = Child(parent, PuppetProps(), "child");
        Watch(child);
        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void A_supervisor_that_cannot_decide_fails_itself()
    {
        IActorRef parent = ActorOf(PuppetProps(new OneForOneStrategy(_ => throw new Broken("no idea"))));
        IActorRef child = Child(parent, PuppetProps(), "child");
        Watch(child);

        EventFilter.Exception<Broken>("no idea").ExpectOne(() => child.Tell(new Broken()));
        ExpectTerminated(child);
    }

    [Fact]
    public void The_children_of_a_resumed_actor_keep_their_state()
    {
        IActorRef parent = ChildActorOf(PuppetProps(), Always(Directive.Resume));
        IActorRef child = Child(parent, Props.Create<Counter>(), "child");
        child.Tell("count");
        parent.Tell(new Broken());
        Settle(parent);
        child.Tell("count");

        Assert.Equal([1, 2], ReceiveN(2));
    }

    [Fact]
    public void A_restart_is_logged_as_an_error_with_its_cause() => EventFilter.Exception<Broken>("for the log").ExpectOne(() =>
        ChildActorOf(Props.Create<Counter>(), Always(Directive.Restart)).Tell(new Broken("for the log")));

    [Fact]
    public void A_resume_is_logged_as_a_warning() => EventFilter.Warning("not bad").ExpectOne(() =>
        ChildActorOf(Props.Create<Counter>(), Always(Directive.Resume)).Tell(new Broken("not bad")));

    private static OneForOneStrategy Always(Directive directive) => new(_ => directive);

    private (IActorRef Failing, IActorRef Sibling) Siblings(SupervisorStrategy strategy)
    {
        IActorRef parent = ActorOf(PuppetProps(strategy), "parent");
        IActorRef failing = Child(parent, LivelyProps(), "failing"), sibling = Child(parent, LivelyProps(), "sibling");
        ExpectMsg("started");
        ExpectMsg("started");
        return (failing, sibling);
    }

    private sealed class Counter : ReceiveActor
    {
        private int _count;

        public Counter()
        {
            Receive<string>(_ => Sender.Tell(++_count));
            Receive<Exception>(failure => throw failure);
        }
    }

    private sealed class Looking(IActorRef report, TaskCompletionSource<IActorRef> seen) : Puppet(report)
    {
        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ =>
        {
            seen.TrySetResult(Context.Sender);
            return Directive.Stop;
        });
    }

    private sealed class Escalating(IActorRef report) : Puppet(report, new OneForOneStrategy(_ => Directive.Escalate))
    {
        protected override void PreRestart(Exception reason, object message)
        {
            Report.Tell($"parent restarts after {reason.Message}");
            base.PreRestart(reason, message);
        }
    }
}
