using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class StartFailureTests : ActorTest
{
    [Theory]
    [InlineData(Moment.Constructor)]
    [InlineData(Moment.PreStart)]
    public void A_failure_at_the_start_reaches_the_supervisor_as_an_initialization_failure(Moment moment)
    {
        var seen = new TaskCompletionSource<Exception>();
        var strategy = new OneForOneStrategy(failure =>
        {
            seen.TrySetResult(failure);
            return Directive.Stop;
        });

        ChildActorOf(Fragile.Failing(moment, 1), strategy);

        var failure = Assert.IsType<ActorInitializationException>(seen.Task.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.IsType<Broken>(Root(failure));
    }

    [Theory]
    [InlineData(Moment.Constructor)]
    [InlineData(Moment.PreStart)]
    public void By_default_a_child_that_cannot_start_is_stopped(Moment moment)
    {
        IActorRef child = ChildActorOf(Fragile.Failing(moment, 1));
        Watch(child);

        ExpectTerminated(child);
    }

    [Theory]
    [InlineData(Moment.Constructor)]
    [InlineData(Moment.PreStart)]
    public void A_supervisor_may_try_the_start_again(Moment moment)
    {
        IActorRef child = ChildActorOf(Fragile.Failing(moment, 2), new OneForOneStrategy(_ => Directive.Restart));
        child.Tell("waited in the mailbox");

        ExpectMsg("waited in the mailbox");
    }

    [Fact]
    public void A_failure_before_the_restart_is_logged_and_does_not_prevent_it()
    {
        IActorRef child = ChildActorOf(Fragile.Failing(Moment.PreRestart, 1));
        EventFilter.Exception<PreRestartException>().ExpectOne(() => child.Tell(new Broken()));

        child.Tell("alive");
        ExpectMsg("alive");
    }

    [Theory]
    [InlineData(Moment.PostRestart)]
    [InlineData(Moment.Constructor)]
    public void A_failure_of_the_new_instance_stops_the_child(Moment moment)
    {
        IActorRef child = ChildActorOf(Fragile.Failing(moment, 1, healthyStarts: 1));
        child.Tell("alive");
        ExpectMsg("alive");
        Watch(child);

        EventFilter.Exception<PostRestartException>().ExpectOne(() => child.Tell(new Broken()));

        ExpectTerminated(child);
    }

    [Fact]
    public void A_failure_in_PostStop_does_not_keep_the_actor_from_ending()
    {
        IActorRef child = ChildActorOf(Fragile.Failing(Moment.PostStop, 1));
        Watch(child);
        Sys.Stop(child);

        ExpectTerminated(child);
    }

    private static Exception Root(Exception failure)
    {
        while (failure.InnerException is { } inner)
            failure = inner;
        return failure;
    }

    public enum Moment
    {
        Constructor,
        PreStart,
        PreRestart,
        PostRestart,
        PostStop,
    }

    /// <summary>Fails at one moment of its life, a number of times; else an echo.</summary>
    private sealed class Fragile : ReceiveActor
    {
        private readonly Plan _plan;

        public Fragile(Plan plan)
        {
            _plan = plan;
            plan.Reach(Moment.Constructor);
            Receive<Exception>(failure => throw failure);
            ReceiveAny(message => Sender.Tell(message));
        }

        public static Props Failing(Moment moment, int times, int healthyStarts = 0)
        {
            var plan = new Plan(moment, times, healthyStarts);
            return Props.Create(() => new Fragile(plan));
        }

        protected override void PreStart() => _plan.Reach(Moment.PreStart);

        protected override void PreRestart(Exception reason, object message) => _plan.Reach(Moment.PreRestart);

        protected override void PostRestart(Exception reason) => _plan.Reach(Moment.PostRestart);

        protected override void PostStop() => _plan.Reach(Moment.PostStop);
    }

    private sealed class Plan(Moment moment, int times, int healthyStarts)
    {
        private int _starts;
        private int _failures;

        public void Reach(Moment reached)
        {
            if (reached == Moment.Constructor)
                _starts++;
            if (reached == moment && _starts > healthyStarts && _failures++ < times)
                throw new Broken();
        }
    }
}
