using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

public sealed class PersistTests() : PersistenceTest("akka.persistence.internal-stash-capacity = 50")
{
    private readonly TaskCompletionSource _gate = new();

    [Fact]
    public void Commands_wait_until_the_handler_has_run()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a")));
        actor.Tell(new Mark("after"));
        _gate.SetResult();
        Log.Expect("stored a@1", "after");
    }

    [Fact]
    public void Commands_do_not_wait_for_PersistAsync()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.PAsync("a")));
        actor.Tell(new Mark("meanwhile"));
        Log.Expect("meanwhile");
        _gate.SetResult();
        Log.Expect("stored a@1");
    }

    [Fact]
    public void Handlers_run_in_the_order_of_the_calls_whatever_their_kind()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a =>
        {
            a.PAsync("1");
            a.P("2");
            a.D("3");
            a.PAll("4", "5");
            a.PAllAsync("6", "7");
            a.D("8");
        }));
        actor.Tell(new Mark("after"));
        _gate.SetResult();
        Log.Expect("stored 1@1", "stored 2@2", "deferred 3", "stored 4@3", "stored 5@4");
        List<string> rest = [.. Enumerable.Range(0, 4).Select(_ => Log.Next("the rest"))];

        // The command waits for the events that were stored with Persist, not for those with PersistAsync.
        Assert.Equal(["stored 6@5", "stored 7@6", "deferred 8"], rest.Where(l => l != "after"));
        Assert.Contains("after", rest);
    }

    [Fact]
    public void Persisting_in_a_handler_comes_before_the_next_command()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a", _ => a.P("b", _ => a.PAll("c", "d")))));
        actor.Tell(new Mark("after"));
        _gate.SetResult();
        Log.Expect("stored a@1", "stored b@2", "stored c@3", "stored d@4", "after");
    }

    [Fact]
    public void Defer_runs_at_once_when_nothing_is_on_its_way()
    {
        IActorRef actor = Started();
        actor.Tell(new Run(a =>
        {
            a.D("x");
            a.Report("end of command");
        }));
        Log.Expect("deferred x", "end of command");
    }

    [Fact]
    public void The_sender_of_the_command_is_the_sender_in_its_handler()
    {
        IActorRef actor = StartWithSlowJournal();
        IActorRef one = Start("one");
        IActorRef two = Start("two");
        Log.Expect("completed at 0", "completed at 0");
        actor.Tell(new Run(a => a.PAsync("a", _ => a.Report(a.Caller.Path.Name))), one);
        actor.Tell(new Run(a => a.PAsync("b", _ => a.Report(a.Caller.Path.Name))), two);
        _gate.SetResult();
        Log.Expect("stored a@1", one.Path.Name, "stored b@2", two.Path.Name);
    }

    [Fact]
    public void Events_that_pile_up_behind_a_write_share_the_next_batch()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.PAsync("first")));
        for (int i = 0; i < 10; i++)
        {
            int n = i;
            actor.Tell(new Run(a => a.PAsync($"e{n}")));
        }

        actor.Tell(new Mark("sent"));
        Log.Expect("sent");
        _gate.SetResult();
        Log.Expect(["stored first@1", .. Enumerable.Range(0, 10).Select(n => $"stored e{n}@{n + 2}")]);
        Assert.Equal([1, 10], Faults.Batches);
    }

    [Fact]
    public void PersistAll_is_one_atomic_write()
    {
        IActorRef actor = Started();
        actor.Tell(new Run(a => a.PAll("a", "b", "c")));
        actor.Tell(new Run(a => a.PAll()));
        actor.Tell(new Mark("after"));
        Log.Expect("stored a@1", "stored b@2", "stored c@3", "after");
        Assert.Equal([1], Faults.Batches);
    }

    [Fact]
    public void What_an_asynchronous_command_persists_is_stored_before_the_next_command()
    {
        IActorRef actor = Started();
        TaskCompletionSource middle = new();
        actor.Tell(new RunAsync(async a =>
        {
            a.P("a");
            await middle.Task;
            a.P("b");
        }));
        actor.Tell(new Mark("after"));
        middle.SetResult();
        Log.Expect("stored a@1", "stored b@2", "after");
    }

    [Fact]
    public void The_user_stash_is_released_in_order_before_what_waits_behind()
    {
        IActorRef actor = StartWithSlowJournal();
        int round = 0;
        foreach (string name in (string[])["x", "y"])
        {
            actor.Tell(new Run(a =>
            {
                if (round == 0)
                {
                    a.Stash.Stash();
                    a.Report("stash " + name);
                }
                else
                {
                    a.Report("run " + name);
                }
            }));
        }

        actor.Tell(new Run(a =>
        {
            round = 1;
            a.P("e", _ => a.Stash.UnstashAll());
        }));
        actor.Tell(new Mark("last"));
        Log.Expect("stash x", "stash y");
        _gate.SetResult();
        Log.Expect("stored e@1", "run x", "run y", "last");
    }

    [Fact]
    public void A_command_that_persists_and_then_throws_has_stored_its_events()
    {
        IActorRef actor = Started();
        actor.Tell(new Run(a =>
        {
            a.P("a");
            throw new FormatException("oops");
        }));
        actor.Tell(new Mark("after"));
        Log.Expect("restart oops", "stopped", "replay a", "completed at 1", "after");
    }

    [Fact]
    public void A_command_that_fails_releases_what_waits_for_the_journal_but_not_the_stash_of_the_actor()
    {
        Log log = Log;
        IActorRef parent = System.ActorOf(Props.Create(() => new Forgiving(log)));
        Log.Expect("completed at 0");
        bool mayRun = false;
        parent.Tell(new Run(a =>
        {
            if (mayRun)
            {
                a.Report("released");
            }
            else
            {
                a.Report("stash");
                a.Stash.Stash();
            }
        }));
        Log.Expect("stash");
        parent.Tell(new Run(_ => throw new FormatException("forgiven")));
        parent.Tell(new Mark("next"));
        Log.Expect("next");
        parent.Tell(new Run(a =>
        {
            mayRun = true;
            a.Report("release");
            a.Stash.UnstashAll();
        }));
        Log.Expect("release", "released");
    }

    [Fact]
    public void Commands_that_wait_survive_a_restart_in_their_order()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a", _ => throw new FormatException("in the handler"))));
        for (int i = 0; i < 5; i++)
        {
            actor.Tell(new Mark($"m{i}"));
        }

        _gate.SetResult();
        Log.Expect("stored a@1", "restart in the handler", "stopped", "replay a", "completed at 1", "m0", "m1", "m2", "m3", "m4");
    }

    [Fact]
    public void A_failed_write_stops_the_actor_after_OnPersistFailure()
    {
        IActorRef actor = Started();
        Faults.BeforeWrite = _ => Task.FromException(new IOException("disk"));
        actor.Tell(new Run(a => a.P("a")));
        Log.Expect("failure a@1 disk", "stopped");
        Faults.BeforeWrite = null;
        Start("p");
        Log.Expect("completed at 0");
    }

    [Fact]
    public void A_write_that_was_stored_but_not_answered_is_found_by_the_next_recovery_and_not_repeated()
    {
        IActorRef actor = Started();
        Faults.AfterWrite = () => Task.FromException(new IOException("the reply was lost"));
        actor.Tell(new Run(a => a.P("a")));
        Log.Expect("failure a@1 the reply was lost", "stopped");
        Faults.AfterWrite = null;
        IActorRef again = Start("p");
        again.Tell(new Run(a => a.P("b")));
        Log.Expect("replay a", "completed at 1", "stored b@2");
    }

    [Fact]
    public void A_rejected_event_does_not_run_its_handler_and_the_actor_goes_on()
    {
        IActorRef actor = Started();
        Faults.Reject = e => (string)e == "bad";
        actor.Tell(new Run(a =>
        {
            a.P("a");
            a.P("bad");
            a.P("c");
        }));
        actor.Tell(new Mark("after"));
        Log.Expect("stored a@1", "rejected bad@2 not like this", "stored c@3", "after");
        Stop(actor);
        Start("p");
        Log.Expect("replay a", "replay c", "completed at 3");
    }

    [Fact]
    public void A_group_of_events_is_rejected_as_a_whole()
    {
        IActorRef actor = Started();
        Faults.Reject = e => (string)e == "bad";
        actor.Tell(new Run(a => a.PAll("a", "bad")));
        actor.Tell(new Run(a => a.P("c")));
        Log.Expect("rejected a@1 not like this", "rejected bad@2 not like this", "stored c@3");
        Stop(actor);
        Start("p");
        Log.Expect("replay c", "completed at 3");
    }

    [Fact]
    public void Nothing_that_was_called_after_a_failed_write_runs()
    {
        IActorRef actor = Started();
        Faults.BeforeWrite = _ => Task.FromException(new IOException("disk"));
        actor.Tell(new Run(a =>
        {
            a.P("a");
            a.P("b");
            a.D("deferred");
        }));
        actor.Tell(new Mark("behind"));
        Log.Expect("failure a@1 disk", "stopped");
        Start("other");
        Log.Expect("completed at 0");
    }

    [Fact]
    public void What_the_actor_stashed_is_handled_after_its_restart()
    {
        IActorRef actor = Started();
        bool restarted = false;
        actor.Tell(new Run(a =>
        {
            if (Volatile.Read(ref restarted))
                a.Report("handled");
            else
                a.Stash.Stash();
        }));
        actor.Tell(new Run(_ =>
        {
            Volatile.Write(ref restarted, true);
            throw new FormatException("oops");
        }));
        actor.Tell(new Mark("behind"));

        Log.Expect("restart oops", "stopped", "completed at 0", "handled", "behind");
    }

    [Fact]
    public void A_handler_of_PersistAsync_that_persists_holds_back_later_commands()
    {
        IActorRef actor = Started();
        TaskCompletionSource second = new();
        Faults.BeforeWrite = events => (string)events[0] == "a" ? _gate.Task : second.Task;
        actor.Tell(new Run(a => a.PAsync("a", _ => a.P("b"))));
        actor.Tell(new Mark("between"));
        Log.Expect("between");
        _gate.SetResult();
        Log.Expect("stored a@1");
        actor.Tell(new Mark("after"));
        second.SetResult();
        Log.Expect("stored b@2", "after");
    }

    [Fact]
    public void A_full_internal_stash_answers_with_the_strategy_of_the_actor()
    {
        IActorRef actor = StartWithSlowJournal(new ScriptOptions { Overflow = new ReplyToStrategy(new Mark("full")) });
        IActorRef caller = Start("caller");
        Log.Expect("completed at 0");
        actor.Tell(new Run(a => a.P("a")), caller);
        for (int i = 0; i < 52; i++)
        {
            actor.Tell(new Mark($"m{i}"), caller);
        }

        Log.Expect("full", "full");
        _gate.SetResult();
        Log.Expect(["stored a@1", .. Enumerable.Range(0, 50).Select(i => $"m{i}")]);
    }

    [Fact]
    public void A_full_internal_stash_fails_the_actor_by_default()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a")));
        for (int i = 0; i < 51; i++)
        {
            actor.Tell(new Mark($"m{i}"));
        }

        Assert.StartsWith("restart the internal stash of p is full", Log.Next("restart"), StringComparison.Ordinal);
        _gate.SetResult();
    }

    [Fact]
    public void Events_that_are_not_answered_are_no_reason_to_stay_stuck()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a")));
        actor.Tell(new Run(a => a.Report("never")));
        System.Stop(actor);
        Log.Expect("stopped");
        _gate.SetResult();
    }

    [Fact]
    public void Deleted_events_are_not_replayed_and_their_numbers_not_used_again()
    {
        Given("p", "a", "b", "c");
        IActorRef actor = Start("p");
        Log.Expect("replay a", "replay b", "replay c", "completed at 3");
        actor.Tell(new Run(a => a.DeleteMessages(2)));
        Log.Expect("deleted to 2");
        actor.Tell(new Run(a => a.DeleteMessages(3)));
        Log.Expect("deleted to 3");
        Stop(actor);
        IActorRef again = Start("p");
        again.Tell(new Run(a => a.P("d")));
        Log.Expect("completed at 3", "stored d@4");
    }

    [Fact]
    public void Snapshots_are_deleted_by_number_and_by_criteria()
    {
        IActorRef actor = Started();
        for (int i = 1; i <= 3; i++)
        {
            int n = i;
            actor.Tell(new Run(a => a.P($"e{n}", _ => a.SaveSnapshot($"S{n}"))));
            Log.Expect($"stored e{n}@{n}", $"saved {n}");
        }

        actor.Tell(new Run(a => a.DeleteSnapshot(3)));
        Log.Expect("deleted snapshot 3");
        Stop(actor);
        actor = Start("p");
        Log.Expect("offer S2@2", "replay e3", "completed at 3");
        actor.Tell(new Run(a => a.DeleteSnapshots(new SnapshotSelectionCriteria(2))));
        Log.Expect("deleted snapshots");
        Stop(actor);
        Start("p");
        Log.Expect("replay e1", "replay e2", "replay e3", "completed at 3");
    }

    [Fact]
    public void A_snapshot_can_be_loaded_outside_of_the_recovery_and_comes_as_a_command()
    {
        IActorRef actor = Started();
        actor.Tell(new Run(a => a.P("e", _ => a.SaveSnapshot("S"))));
        Log.Expect("stored e@1", "saved 1");
        actor.Tell(new Run(a => a.LoadSnapshot("p", SnapshotSelectionCriteria.Latest, long.MaxValue)));
        Log.Expect("loaded S");
    }

    private IActorRef Started(ScriptOptions? options = null)
    {
        IActorRef actor = Start("p", options);
        Log.Expect("completed at 0");
        return actor;
    }

    private IActorRef StartWithSlowJournal(ScriptOptions? options = null)
    {
        IActorRef actor = Started(options);
        Faults.BeforeWrite = _ => _gate.Task;
        return actor;
    }

    /// <summary>Lets its child go on after a failure.</summary>
    private sealed class Forgiving(Log log) : UntypedActor
    {
        private readonly IActorRef _child = Context.ActorOf(Props.Create(() => new ScriptActor("child", log, new ScriptOptions())));

        protected override void OnReceive(object message) => _child.Forward(message);

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Resume);
    }
}
