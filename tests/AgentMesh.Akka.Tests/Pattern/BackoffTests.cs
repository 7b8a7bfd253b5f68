using AgentMesh.EngineTests.Actor;
using Akka.Actor;
using Akka.Event;
using Akka.Pattern;

namespace AgentMesh.EngineTests.Pattern;

/// <summary>Both back-off supervisors, with a scheduler that stands still until it is moved.</summary>
public sealed class BackoffTests : VirtualTimeTest
{
    private static readonly TimeSpan Min = Seconds(1), Max = Seconds(10);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_child_starts_again_after_a_delay_that_doubles_up_to_the_limit(bool onStop)
    {
        IActorRef supervisor = Start(Options(onStop).WithManualReset());
        ExpectMsg("started");
        foreach (int delay in (int[])[1, 2, 4, 8, 10, 10])
        {
            End(supervisor, onStop);
            Time.Advance(Seconds(delay) - TimeSpan.FromMilliseconds(1));
            Absent(supervisor);
            Time.Advance(TimeSpan.FromMilliseconds(1));
            ExpectMsg("started");
        }

        supervisor.Tell(BackoffSupervisor.GetRestartCount.Instance);
        Assert.Equal(6, ExpectMsg<BackoffSupervisor.RestartCount>().Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_random_factor_makes_a_delay_longer_and_never_shorter(bool onStop)
    {
        Props child = LivelyProps();
        BackoffOptions options = onStop ? Backoff.OnStop(child, "child", Min, Max, 1) : Backoff.OnFailure(child, "child", Min, Max, 1);
        var late = new List<bool>();
        for (int i = 0; i < 20; i++)
        {
            IActorRef supervisor = Start(options);
            ExpectMsg("started");
            End(supervisor, onStop);
            Time.Advance(Min - TimeSpan.FromMilliseconds(1));
            Absent(supervisor);
            Time.Advance(Seconds(0.3));
            late.Add(Current(supervisor) is null);

            // To twice the least delay, which is more than any is.
            if (late[^1])
                Time.Advance(Seconds(0.7) + TimeSpan.FromMilliseconds(1));
            ExpectMsg("started");
            Sys.Stop(supervisor);
            ExpectMsg("stopped");
        }

        // One of two million million runs has none of its twenty delays above three tenths, or all.
        Assert.Contains(true, late);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Failures_are_forgotten_when_the_child_has_run_for_the_time_of_the_automatic_reset(bool onStop)
    {
        IActorRef supervisor = Start(Options(onStop).WithAutoReset(Seconds(5)));
        ExpectMsg("started");
        End(supervisor, onStop);
        Time.Advance(Seconds(1));
        ExpectMsg("started");
        End(supervisor, onStop);
        Time.Advance(Seconds(2));
        ExpectMsg("started");
        Time.Advance(Seconds(4));
        Assert.Equal(2, Restarts(supervisor));

        Time.Advance(Seconds(1));
        Assert.Equal(0, Restarts(supervisor));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_child_can_have_its_failures_forgotten(bool onStop)
    {
        IActorRef supervisor = Start(Options(onStop).WithManualReset());
        ExpectMsg("started");
        End(supervisor, onStop);
        Time.Advance(Seconds(1));
        ExpectMsg("started");
        Time.Advance(Seconds(100));
        Assert.Equal(1, Restarts(supervisor));
        Current(supervisor)!.Tell(Run(context => context.Parent.Tell(BackoffSupervisor.Reset.Instance)));
        AwaitAssert(() => Assert.Equal(0, Restarts(supervisor)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_meanwhile_are_answered_if_that_is_wanted_and_else_are_dead_letters(bool onStop)
    {
        IActorRef answering = Start(Options(onStop).WithReplyWhileStopped("not now"));
        ExpectMsg("started");
        End(answering, onStop);
        answering.Tell("anyone?");
        ExpectMsg("not now");
        IActorRef silent = Start(Options(onStop));
        ExpectMsg("started");
        End(silent, onStop);
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        silent.Tell("anyone?");

        Assert.Equal("anyone?", ExpectMsg<DeadLetter>().Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_supervisor_ends_when_the_child_fails_more_often_than_allowed(bool onStop)
    {
        IActorRef supervisor = Start(Options(onStop).WithManualReset().WithMaxNrOfRetries(1));
        Watch(supervisor);
        ExpectMsg("started");
        End(supervisor, onStop);
        Time.Advance(Seconds(1));
        ExpectMsg("started");
        Fail(supervisor, onStop);
        ExpectMsg("stopped");

        ExpectTerminated(supervisor);
    }

    [Fact]
    public void With_OnFailure_a_child_that_stops_by_itself_ends_the_supervisor()
    {
        IActorRef supervisor = Start(Options(onStop: false));
        Watch(supervisor);
        ExpectMsg("started");
        supervisor.Tell(PoisonPillInside);
        ExpectMsg("stopped");

        ExpectTerminated(supervisor);
    }

    [Fact]
    public void With_OnFailure_the_strategy_may_stop_the_child_for_good()
    {
        IActorRef supervisor = Start(Options(onStop: false).WithDefaultStoppingStrategy());
        Watch(supervisor);
        ExpectMsg("started");
        supervisor.Tell(new Broken());
        ExpectMsg("stopped");

        ExpectTerminated(supervisor);
    }

    [Fact]
    public void With_OnStop_a_child_that_fails_is_restarted_at_once()
    {
        IActorRef supervisor = Start(Options(onStop: true));
        ExpectMsg("started");
        supervisor.Tell(new Broken());

        Assert.Equal(["restarting after broken", "stopped", "restarted after broken", "started"], ReceiveN(4));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_a_final_stop_message_the_end_of_the_child_is_the_end_of_the_supervisor(bool onStop)
    {
        IActorRef supervisor = Start(Options(onStop).WithFinalStopMessage(message => ReferenceEquals(message, PoisonPillInside)));
        Watch(supervisor);
        ExpectMsg("started");
        supervisor.Tell(PoisonPillInside);
        ExpectMsg("stopped");

        ExpectTerminated(supervisor);
    }

    [Fact]
    public void Messages_go_to_the_child_and_those_of_the_child_to_the_parent()
    {
        Akka.TestKit.TestProbe ofParent = CreateTestProbe();
        IActorRef parent = ActorOf(Props.Create(() => new Puppet(ofParent.Ref, null)));
        IActorRef supervisor = Child(parent, BackoffSupervisor.Props(Options(onStop: true)), "supervisor");
        ExpectMsg("started");
        supervisor.Tell("through");
        ExpectMsgFrom(TestActor, "through");
        IActorRef child = Current(supervisor)!;
        supervisor.Tell("to the parent", child);

        ofParent.ExpectMsgFrom(child, "to the parent", Limit);
    }

    private static Puppet.Run PoisonPillInside { get; } = Run(context => context.Stop(context.Self));

    private BackoffOptions Options(bool onStop) =>
        onStop ? Backoff.OnStop(LivelyProps(), "child", Min, Max, 0) : Backoff.OnFailure(LivelyProps(), "child", Min, Max, 0);

    private IActorRef Start(BackoffOptions options) => ActorOf(BackoffSupervisor.Props(options));

    private static void Fail(IActorRef supervisor, bool onStop) => supervisor.Tell(onStop ? PoisonPillInside : new Broken());

    /// <summary>Ends the child in the way the supervisor is for, and waits until the supervisor knows.</summary>
    private void End(IActorRef supervisor, bool onStop)
    {
        Fail(supervisor, onStop);
        ExpectMsg("stopped");
        AwaitAssert(() => Assert.Null(Current(supervisor)));
    }

    private static void Absent(IActorRef supervisor) => Assert.Null(Current(supervisor));

    private static IActorRef? Current(IActorRef supervisor) => supervisor.Ask<BackoffSupervisor.CurrentChild>(BackoffSupervisor.GetCurrentChild.Instance, Limit).GetAwaiter().GetResult().Ref;

    private static int Restarts(IActorRef supervisor) => supervisor.Ask<BackoffSupervisor.RestartCount>(BackoffSupervisor.GetRestartCount.Instance, Limit).GetAwaiter().GetResult().Count;
}
