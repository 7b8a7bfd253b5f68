using Akka.Actor;

namespace AgentMesh.Tests.Persistence;

public sealed class PersistTests : PersistenceTest
{
    [Fact]
    public void Commands_wait_until_the_handler_has_run()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.P("a")));
        actor.Tell(new Mark("after"));
        Gate.SetResult();
        Log.Expect("stored a@1", "after");
    }

    [Fact]
    public void Commands_do_not_wait_for_PersistAsync()
    {
        IActorRef actor = StartWithSlowJournal();
        actor.Tell(new Run(a => a.PAsync("a")));
        actor.Tell(new Mark("meanwhile"));
        Log.Expect("meanwhile");
        Gate.SetResult();
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
        Gate.SetResult();
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
        Gate.SetResult();
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
        Gate.SetResult();
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
        Gate.SetResult();
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
        Gate.SetResult();
        Log.Expect("stored e@1", "run x", "run y", "last");
    }

    [Fact]
    public void A_handler_of_PersistAsync_that_persists_holds_back_later_commands()
    {
        IActorRef actor = Started();
        TaskCompletionSource second = new();
        Faults.BeforeWrite = events => (string)events[0] == "a" ? Gate.Task : second.Task;
        actor.Tell(new Run(a => a.PAsync("a", _ => a.P("b"))));
        actor.Tell(new Mark("between"));
        Log.Expect("between");
        Gate.SetResult();
        Log.Expect("stored a@1");
        actor.Tell(new Mark("after"));
        second.SetResult();
        Log.Expect("stored b@2", "after");
    }
}
