using System.Collections.Concurrent;
using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

/// <summary>The wheel on the real clock. Its thread is held while a test sets things up, so that no slow moment of the machine counts.</summary>
public sealed class SchedulerTests() : ActorTest("akka.scheduler { tick-duration = 5ms, ticks-per-wheel = 8 }")
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    [Fact]
    public void Nothing_is_early_and_all_comes_in_the_order_in_which_it_is_due()
    {
        var random = new Random(7);
        var early = new ConcurrentBag<TimeSpan>();
        var ran = new BlockingCollection<(TimeSpan From, TimeSpan To)>();
        const int Count = 200;
        using (HoldWheel())
        {
            for (int i = 0; i < Count; i++)
            {
                TimeSpan delay = TimeSpan.FromMilliseconds(random.Next(1, 300)), from = Sys.Scheduler.MonotonicClock + delay;
                var due = new TimeSpan[] { from, default };
                Sys.Scheduler.Advanced.ScheduleOnce(delay, () =>
                {
                    if (Sys.Scheduler.MonotonicClock < due[0])
                        early.Add(delay);
                    ran.Add((due[0], due[1]));
                });
                due[1] = Sys.Scheduler.MonotonicClock + delay;
            }
        }

        (TimeSpan From, TimeSpan To)[] order = [.. Enumerable.Range(0, Count).Select(_ => ran.TryTake(out var one, Limit) ? one : throw new TimeoutException())];

        Assert.Empty(early);
        Assert.All(order.Zip(order.Skip(1)), pair => Assert.True(pair.First.From <= pair.Second.To + Tick, $"{pair.First.From} before {pair.Second.To}"));
    }

    [Fact]
    public void Repeated_messages_come_until_they_are_cancelled()
    {
        var cancel = new Cancelable(Sys.Scheduler);
        Sys.Scheduler.ScheduleTellRepeatedly(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(10), TestActor, "tick", ActorRefs.NoSender, cancel);
        for (int i = 0; i < 5; i++)
            ExpectMsg("tick");

        Sys.Scheduler.Advanced.ScheduleOnce(Tick, () =>
        {
            cancel.Cancel();
            TestActor.Tell("cancelled");
        });
        FishForMessage<string>(message => message == "cancelled", Limit);
        Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(60), TestActor, "later", ActorRefs.NoSender);
        ExpectMsg("later");
    }

    [Fact]
    public void Work_that_is_cancelled_before_it_is_due_never_runs()
    {
        using (HoldWheel())
        {
            var cancel = new Cancelable(Sys.Scheduler);
            Sys.Scheduler.ScheduleTellOnce(Tick, TestActor, "never", ActorRefs.NoSender, cancel);
            Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(40), TestActor, "later", ActorRefs.NoSender);
            cancel.Cancel();
        }

        ExpectMsg("later");
    }

    [Fact]
    public void Work_that_throws_disturbs_neither_its_repetitions_nor_others()
    {
        int runs = 0;
        Sys.Scheduler.Advanced.ScheduleRepeatedly(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(5), () =>
        {
            if (Interlocked.Increment(ref runs) == 3)
                TestActor.Tell("third");
            throw new InvalidOperationException("no");
        });
        Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(40), TestActor, "other", ActorRefs.NoSender);

        Assert.Equal(["other", "third"], new[] { ExpectMsg<string>(), ExpectMsg<string>() }.Order());
    }

    [Fact]
    public void Wrong_times_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(-1), TestActor, "x", ActorRefs.NoSender));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sys.Scheduler.ScheduleTellRepeatedly(TimeSpan.Zero, TimeSpan.Zero, TestActor, "x", ActorRefs.NoSender));
    }

    /// <summary>Returns when the thread of the scheduler stands still; it goes on when the answer is disposed.</summary>
    private Held HoldWheel()
    {
        var held = new Held();
        Sys.Scheduler.Advanced.ScheduleOnce(Tick, held.Hold);
        held.WaitUntilHeld();
        return held;
    }

    private sealed class Held : IDisposable
    {
        private readonly ManualResetEventSlim _holding = new(), _go = new();

        public void Hold()
        {
            _holding.Set();
            _go.Wait(Limit);
        }

        public void WaitUntilHeld() => Assert.True(_holding.Wait(Limit));

        public void Dispose() => _go.Set();
    }
}
