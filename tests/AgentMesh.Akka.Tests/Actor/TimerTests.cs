using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class TimerTests : VirtualTimeTest
{
    private readonly IActorRef _actor;

    public TimerTests() => _actor = ActorOf(Props.Create(() => new Timed(TestActor)));

    [Fact]
    public void A_single_timer_fires_once_and_not_before_its_time()
    {
        Do(timers => timers.StartSingleTimer("key", "tick", Seconds(10)));
        Advance(9);
        Do(timers => Assert.True(timers.IsTimerActive("key")));
        Assert.False(HasMessages);
        Advance(1);
        ExpectMsg("tick");
        Do(timers => Assert.False(timers.IsTimerActive("key")));
        Advance(100);
        Mark();
    }

    [Fact]
    public void A_periodic_timer_fires_after_each_interval_until_it_is_cancelled()
    {
        Do(timers => timers.StartPeriodicTimer("key", "tick", Seconds(1), Seconds(10)));
        Advance(1);
        ExpectMsg("tick");
        Advance(20);
        ExpectMsg("tick");
        ExpectMsg("tick");
        Do(timers => timers.Cancel("key"));
        Advance(100);
        Mark();
    }

    [Fact]
    public void A_new_timer_replaces_that_of_the_same_key()
    {
        Do(timers => timers.StartSingleTimer("key", "old", Seconds(1)));
        Do(timers => timers.StartSingleTimer("key", "new", Seconds(2)));
        Advance(5);
        ExpectMsg("new");
        Mark();
    }

    [Fact]
    public void Timers_of_other_keys_go_on()
    {
        Do(timers => timers.StartSingleTimer("one", "first", Seconds(1)));
        Do(timers => timers.StartSingleTimer("two", "second", Seconds(2)));
        Do(timers => timers.Cancel("one"));
        Advance(5);
        ExpectMsg("second");
        Mark();
    }

    [Fact]
    public void A_timer_that_fired_into_the_mailbox_is_void_once_it_is_cancelled()
    {
        Do(timers => timers.StartSingleTimer("key", "tick", Seconds(1)));
        Held(() => Advance(1), timers => timers.Cancel("key"));
        Mark();
    }

    [Fact]
    public void A_timer_that_fired_into_the_mailbox_is_void_once_it_is_replaced()
    {
        Do(timers => timers.StartSingleTimer("key", "old", Seconds(1)));
        Held(() => Advance(1), timers => timers.StartSingleTimer("key", "new", Seconds(1)));
        Mark();
        Advance(1);
        ExpectMsg("new");
    }

    [Fact]
    public void A_restart_cancels_all_timers()
    {
        Do(timers => timers.StartSingleTimer("key", "tick", Seconds(1)));
        ITimerScheduler before = null!;
        Do(timers => before = timers);
        _actor.Tell(new Broken());
        Do(timers => Assert.Empty(timers.ActiveTimers));
        Assert.Empty(before.ActiveTimers);
        Advance(5);
        Mark();
    }

    [Fact]
    public void A_timer_that_fired_before_a_restart_is_void_after_it()
    {
        Do(timers => timers.StartSingleTimer("key", "tick", Seconds(1)));
        Held(() => Advance(1), _ => throw new Broken());
        Mark();
    }

    [Fact]
    public void A_timer_that_fired_before_a_restart_is_not_taken_for_one_of_the_new_instance()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Numbered(TestActor, new Lives())));
        using var busy = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        actor.Tell(new Action(() =>
        {
            busy.Set();
            gate.Wait(Limit);
            throw new Broken();
        }));
        Assert.True(busy.Wait(Limit));
        Advance(1);
        gate.Set();
        actor.Tell("after the restart");

        ExpectMsg("after the restart");
        Advance(1);
        ExpectMsg("tick of life 2");
    }

    [Fact]
    public void The_end_of_the_actor_cancels_its_timers_without_dead_letters()
    {
        Do(timers => timers.StartPeriodicTimer("key", "tick", Seconds(1)));
        Watch(_actor);
        Sys.Stop(_actor);
        ExpectTerminated(_actor);
        Sys.EventStream.Subscribe(TestActor, typeof(Akka.Event.AllDeadLetters));
        Advance(5);

        TestActor.Tell("nothing before this");
        ExpectMsg("nothing before this");
    }

    private void Advance(double seconds) => Time.Advance(Seconds(seconds));

    /// <summary>Runs in the actor; returns when it has run.</summary>
    private void Do(Action<ITimerScheduler> work)
    {
        var done = new TaskCompletionSource();
        _actor.Tell(new Action<ITimerScheduler>(timers =>
        {
            try
            {
                work(timers);
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }));
        done.Task.WaitAsync(Limit).GetAwaiter().GetResult();
    }

    /// <summary>Something happens while the actor is busy; then the actor does its part, with whatever that left in its mailbox behind it.</summary>
    private void Held(Action meanwhile, Action<ITimerScheduler> then)
    {
        using var busy = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        _actor.Tell(new Action<ITimerScheduler>(timers =>
        {
            busy.Set();
            gate.Wait(Limit);
            then(timers);
        }));
        Assert.True(busy.Wait(Limit));
        meanwhile();
        gate.Set();
    }

    /// <summary>Nothing came before this.</summary>
    private void Mark()
    {
        _actor.Tell("mark");
        ExpectMsg("mark");
    }

    private sealed class Lives
    {
        public int Count { get; set; }
    }

    /// <summary>Starts the same timer in each of its lives.</summary>
    private sealed class Numbered : ReceiveActor, IWithTimers
    {
        private readonly Lives _lives;

        public Numbered(IActorRef report, Lives lives)
        {
            _lives = lives;
            Receive<Action>(action => action());
            ReceiveAny(report.Tell);
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartSingleTimer("key", $"tick of life {++_lives.Count}", TimeSpan.FromSeconds(1));
    }

    private sealed class Timed : ReceiveActor, IWithTimers
    {
        public Timed(IActorRef report)
        {
            Receive<Action<ITimerScheduler>>(action => action(Timers));
            Receive<Exception>(failure => throw failure);
            ReceiveAny(report.Tell);
        }

        public ITimerScheduler Timers { get; set; } = null!;
    }
}
