using AgentMesh.Engine;
using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class RestartLimitTests : ActorTest
{
    private readonly ShiftedClock _clock;

    public RestartLimitTests()
        : this(new ShiftedClock())
    {
    }

    private RestartLimitTests(ShiftedClock clock)
        : base(new EngineSetup(clock, new Random(1))) => _clock = clock;

    [Fact]
    public void A_child_that_fails_more_often_than_allowed_is_stopped()
    {
        IActorRef child = Failing(new OneForOneStrategy(2, null, _ => Directive.Restart));
        child.Tell(new Broken());
        child.Tell(new Broken());
        StillHere(child);

        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void Zero_retries_stop_a_child_at_its_first_failure()
    {
        IActorRef child = Failing(new OneForOneStrategy(0, null, _ => Directive.Restart));
        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void Failures_count_again_from_zero_when_the_time_range_is_over()
    {
        IActorRef child = Failing(new OneForOneStrategy(1, TimeSpan.FromMinutes(10), _ => Directive.Restart));
        child.Tell(new Broken());
        Settle(child);
        _clock.Shift += TimeSpan.FromMinutes(11);
        child.Tell(new Broken());
        StillHere(child);

        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void A_time_range_alone_allows_one_restart_in_it()
    {
        IActorRef child = Failing(new OneForOneStrategy(null, TimeSpan.FromMinutes(10), _ => Directive.Restart));
        child.Tell(new Broken());
        StillHere(child);

        child.Tell(new Broken());

        ExpectTerminated(child);
    }

    [Fact]
    public void Without_limits_a_child_may_fail_for_ever()
    {
        IActorRef child = Failing(new OneForOneStrategy(_ => Directive.Restart));
        for (int i = 0; i < 50; i++)
            child.Tell(new Broken());

        StillHere(child);
    }

    [Fact]
    public void With_all_for_one_the_failures_of_one_count_for_all()
    {
        IActorRef parent = ActorOf(PuppetProps(new AllForOneStrategy(1, null, _ => Directive.Restart)));
        IActorRef one = Child(parent, PuppetProps(), "one"), two = Child(parent, PuppetProps(), "two");
        Watch(two);
        one.Tell(new Broken());
        Settle(one);
        Settle(two);
        one.Tell(new Broken());

        ExpectTerminated(two);
    }

    private void StillHere(IActorRef child)
    {
        child.Tell("still here");
        ExpectMsg("still here");
    }

    private IActorRef Failing(SupervisorStrategy strategy)
    {
        IActorRef child = ChildActorOf(PuppetProps(), strategy);
        Watch(child);
        return child;
    }
}
