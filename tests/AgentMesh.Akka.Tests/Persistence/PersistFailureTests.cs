using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

public sealed class PersistFailureTests() : PersistenceTest("akka.persistence.internal-stash-capacity = 50")
{
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

        Gate.SetResult();
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
        Gate.SetResult();
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
        Gate.SetResult();
    }

    [Fact]
    public void Events_that_are_not_answered_are_no_reason_to_stay_stuck()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a")));
        actor.Tell(new Run(a => a.Report("never")));
        System.Stop(actor);
        Log.Expect("stopped");
        Gate.SetResult();
    }

    /// <summary>Lets its child go on after a failure.</summary>
    private sealed class Forgiving(Log log) : UntypedActor
    {
        private readonly IActorRef _child = Context.ActorOf(Props.Create(() => new ScriptActor("child", log, new ScriptOptions())));

        protected override void OnReceive(object message) => _child.Forward(message);

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Resume);
    }
}
