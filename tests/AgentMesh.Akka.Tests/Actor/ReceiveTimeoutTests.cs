using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class ReceiveTimeoutTests : VirtualTimeTest
{
    private readonly IActorRef _actor;

    public ReceiveTimeoutTests()
    {
        _actor = ActorOf(PuppetProps());
        Set(Seconds(10));
    }

    [Fact]
    public void It_comes_after_the_time_without_a_message_and_again()
    {
        Time.Advance(Seconds(9));
        Assert.False(HasMessages);
        Time.Advance(Seconds(1));
        ExpectMsg<ReceiveTimeout>();
        Idle(_actor);
        Time.Advance(Seconds(10));
        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void A_message_starts_the_time_anew()
    {
        Time.Advance(Seconds(9));
        Mark();
        Time.Advance(Seconds(9));
        Mark();
        Time.Advance(Seconds(10));
        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void A_message_that_says_so_does_not_start_the_time_anew()
    {
        Time.Advance(Seconds(9));
        Idle(_actor);
        Time.Advance(Seconds(1));
        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void A_timer_that_was_cancelled_does_not_start_the_time_anew()
    {
        Set(null);
        IActorRef actor = ActorOf(Props.Create(() => new Timed(TestActor)));
        Idle(actor);
        for (int i = 0; i < 10; i++)
        {
            Time.Advance(Seconds(1));
            Idle(actor);
        }

        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void Null_turns_it_off()
    {
        Set(null);
        Time.Advance(Seconds(100));
        Mark();
        _actor.Tell(Run(context => TestActor.Tell(context.ReceiveTimeout is null)));
        ExpectMsg(true);
    }

    [Fact]
    public void A_new_time_replaces_the_old_one()
    {
        Set(Seconds(30));
        Time.Advance(Seconds(29));
        Mark();
        Time.Advance(Seconds(30));
        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void It_still_comes_after_a_restart()
    {
        _actor.Tell(new Broken());
        Idle(_actor);
        Time.Advance(Seconds(10));

        ExpectMsg<ReceiveTimeout>();
    }

    [Fact]
    public void A_restart_in_the_middle_of_an_awaiting_handler_does_not_silence_it()
    {
        IActorRef parent = ActorOf(PuppetProps(new AllForOneStrategy(_ => Directive.Restart)));
        IActorRef failing = Child(parent, PuppetProps(), "failing");
        IActorRef waiting = Child(parent, Props.Create(() => new Waiting(TestActor)), "waiting");
        waiting.Tell("wait");
        ExpectMsg("waits");
        failing.Tell(new Broken());
        ExpectMsg("restarted");
        Settle(failing);
        Set(null);
        Time.Advance(Seconds(20));

        ExpectMsg("timeout");
    }

    private void Set(TimeSpan? timeout)
    {
        _actor.Tell(Run(context => context.SetReceiveTimeout(timeout)));
        Idle(_actor);
    }

    private void Mark()
    {
        _actor.Tell("mark");
        ExpectMsg("mark");
        Idle(_actor);
    }

    private sealed class Timed(IActorRef report) : Puppet(report), IWithTimers
    {
        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart()
        {
            Context.SetReceiveTimeout(TimeSpan.FromSeconds(10));
            Timers.StartPeriodicTimer("key", "tick", TimeSpan.FromSeconds(1));
            Timers.Cancel("key");
        }
    }

    private sealed class Waiting : ReceiveActor
    {
        private readonly IActorRef _report;

        public Waiting(IActorRef report)
        {
            _report = report;
            ReceiveAsync<string>(async _ =>
            {
                report.Tell("waits");
                await Task.Delay(Timeout.Infinite);
            });
            Receive<ReceiveTimeout>(_ => report.Tell("timeout"));
        }

        protected override void PreStart() => SetReceiveTimeout(TimeSpan.FromSeconds(10));

        protected override void PostRestart(Exception reason) => _report.Tell("restarted");
    }
}
