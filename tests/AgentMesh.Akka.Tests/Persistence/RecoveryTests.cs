using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

public sealed class RecoveryTests() : PersistenceTest("akka.persistence.max-concurrent-recoveries = 2")
{
    [Fact]
    public void Replays_events_in_order_before_the_first_command()
    {
        Given("p", "a", "b", "c");
        IActorRef actor = Start("p");
        actor.Tell(new Mark("command"));
        Log.Expect("replay a", "replay b", "replay c", "completed at 3", "command");
    }

    [Fact]
    public void Commands_that_arrive_during_recovery_keep_their_order()
    {
        Given("p", "a");
        TaskCompletionSource gate = new();
        Faults.BeforeReplay = _ => gate.Task;
        IActorRef actor = Start("p");
        for (int i = 0; i < 20; i++)
        {
            int n = i;
            actor.Tell(n % 3 == 0 ? new Run(a => a.P($"e{n}")) : new Mark($"m{n}"));
        }

        gate.SetResult();
        Log.Expect("replay a", "completed at 1");
        int stored = 1;
        Log.Expect([.. Enumerable.Range(0, 20).Select(n => n % 3 == 0 ? $"stored e{n}@{++stored}" : $"m{n}")]);
    }

    [Fact]
    public void Continues_the_numbering_after_recovery()
    {
        Given("p", "a", "b");
        IActorRef actor = Start("p");
        actor.Tell(new Run(a => a.P("c")));
        Log.Expect("replay a", "replay b", "completed at 2", "stored c@3");
    }

    [Fact]
    public void Offers_the_newest_snapshot_and_replays_only_what_follows()
    {
        IActorRef actor = Start("p");
        actor.Tell(new Run(a => a.P("a", _ => a.SaveSnapshot("S1"))));
        actor.Tell(new Run(a => a.P("b", _ => a.SaveSnapshot("S2"))));
        actor.Tell(new Run(a => a.P("c")));
        HashSet<string> seen = [];
        for (int i = 0; i < 6; i++)
        {
            seen.Add(Log.Next("six reports"));
        }

        Assert.Contains("saved 1", seen);
        Assert.Contains("saved 2", seen);
        Stop(actor);
        Start("p");
        Log.Expect("offer S2@2", "replay c", "completed at 3");
        Start("p", new ScriptOptions { Recovery = new Recovery(new SnapshotSelectionCriteria(1)) });
        Log.Expect("offer S1@1", "replay b", "replay c", "completed at 3");
        Start("p", new ScriptOptions { Recovery = new Recovery(SnapshotSelectionCriteria.None) });
        Log.Expect("replay a", "replay b", "replay c", "completed at 3");
        Start("p", new ScriptOptions { Recovery = new Recovery(SnapshotSelectionCriteria.Latest, 1) });
        Log.Expect("offer S1@1", "completed at 3");
    }

    [Fact]
    public void Replays_up_to_a_number_and_at_most_so_many()
    {
        Given("p", "a", "b", "c", "d");
        Start("p", new ScriptOptions { Recovery = new Recovery(SnapshotSelectionCriteria.Latest, 2) });
        Log.Expect("replay a", "replay b", "completed at 4");
        Start("p", new ScriptOptions { Recovery = new Recovery(SnapshotSelectionCriteria.Latest, long.MaxValue, 3) });
        Log.Expect("replay a", "replay b", "replay c", "completed at 4");
    }

    [Fact]
    public void Recovery_none_replays_nothing_and_keeps_the_numbering()
    {
        Given("p", "a", "b");
        IActorRef actor = Start("p", new ScriptOptions { Recovery = Recovery.None });
        actor.Tell(new Run(a => a.P("c")));
        Log.Expect("completed at 2", "stored c@3");
    }

    [Fact]
    public void Events_can_be_persisted_when_recovery_has_completed_and_come_before_the_first_command()
    {
        IActorRef actor = Start("p", new ScriptOptions { OnCompleted = a => a.P("first") });
        actor.Tell(new Mark("command"));
        Log.Expect("completed at 0", "stored first@1", "command");
    }

    [Fact]
    public void Persisting_during_the_replay_fails_the_recovery_and_stops_the_actor()
    {
        Given("p", "a", "b");
        IActorRef actor = Start("p", new ScriptOptions { OnReplay = (a, e) => a.P("x" + e) });
        Assert.Equal("replay a", Log.Next("replay a"));
        Assert.StartsWith("recovery failure InvalidOperationException", Log.Next("recovery failure"), StringComparison.Ordinal);
        Log.Expect("stopped");
        Log.ExpectEmpty();
    }

    [Fact]
    public void A_handler_that_throws_in_recovery_stops_the_actor_after_OnRecoveryFailure()
    {
        Given("p", "a", "poison", "c");
        Start("p", new ScriptOptions { OnReplay = (_, e) => { if (e == "poison") throw new FormatException("bad"); } });
        Log.Expect("replay a", "replay poison", "recovery failure FormatException bad poison", "stopped");
        Log.ExpectEmpty();
    }

    [Fact]
    public void A_journal_that_fails_the_replay_stops_the_actor()
    {
        Given("p", "a");
        Faults.BeforeReplay = _ => Task.FromException(new IOException("disk"));
        Start("p");
        Log.Expect("recovery failure IOException disk", "stopped");
    }

    [Fact]
    public void A_snapshot_store_that_fails_stops_the_actor()
    {
        Faults.BeforeSnapshotLoad = () => Task.FromException(new IOException("disk"));
        Start("p");
        Log.Expect("recovery failure IOException disk", "stopped");
    }

    [Fact]
    public void No_more_recoveries_run_at_a_time_than_are_permitted_and_a_stopped_actor_returns_its_permit()
    {
        foreach (string id in (string[])["p1", "p2", "p3"])
        {
            Given(id, "e");
        }

        using CountdownEvent twoStarted = new(2);
        TaskCompletionSource gate = new();
        int started = 0;
        Faults.BeforeReplay = _ =>
        {
            Interlocked.Increment(ref started);
            twoStarted.Signal();
            return gate.Task;
        };
        IActorRef first = Start("p1");
        Start("p2");
        Assert.True(twoStarted.Wait(TimeSpan.FromSeconds(20)), "two recoveries did not start");
        Start("p3");
        Faults.BeforeReplay = null;
        Assert.Equal(2, started);
        first.Tell(PoisonPill.Instance);
        System.Stop(first);
        Log.Expect("stopped", "replay e", "completed at 1");
        gate.SetResult();
        Log.Expect("replay e", "completed at 1");
    }

    [Fact]
    public void An_actor_says_whether_it_recovers()
    {
        Given("p", "a");
        IActorRef actor = Start("p", new ScriptOptions
        {
            OnReplay = (a, _) => a.Report($"recovering {a.IsRecovering} {a.IsRecoveryFinished} at {a.LastSequenceNr}"),
            OnCompleted = a => a.Report($"recovering {a.IsRecovering} {a.IsRecoveryFinished}"),
        });
        Log.Expect("replay a", "recovering True False at 1", "completed at 1", "recovering False True");
    }
}
