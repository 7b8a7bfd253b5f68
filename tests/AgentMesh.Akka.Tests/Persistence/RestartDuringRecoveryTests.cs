using Akka.Actor;

namespace AgentMesh.Tests.Persistence;

/// <summary>An actor that is restarted while it recovers: a full stash is what does it.</summary>
public sealed class RestartDuringRecoveryTests() : PersistenceTest("""
    akka.persistence.internal-stash-capacity = 5
    akka.persistence.max-concurrent-recoveries = 1
    """)
{
    [Fact]
    public void What_an_earlier_incarnation_asked_of_the_journal_is_not_taken_for_the_own_replay()
    {
        Given("p", "a", "b");
        TaskCompletionSource first = new(), second = new();
        using SemaphoreSlim begun = new(0);
        int replays = 0;
        Faults.BeforeReplay = _ =>
        {
            Task gate = replays++ == 0 ? first.Task : second.Task;
            begun.Release();
            return gate;
        };
        bool isSecond = false;
        IActorRef actor = Start("p", new ScriptOptions { OnReplay = (a, _) => a.Report(Volatile.Read(ref isSecond) ? "its own" : "a foreign one") });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        Overflow(actor);
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        Answer(first);
        Answered();
        Volatile.Write(ref isSecond, true);
        Answer(second);
        Log.Expect("replay a", "its own", "replay b", "its own", "completed at 2", "m0", "m1", "m2", "m3", "m4");
        actor.Tell(new Run(a => a.P("c")));
        Log.Expect("stored c@3");
    }

    [Fact]
    public void The_snapshot_that_an_earlier_incarnation_asked_for_is_not_offered()
    {
        IActorRef seed = Start("p");
        Log.Expect("completed at 0");
        seed.Tell(new Run(a => a.P("a", _ => a.SaveSnapshot("S"))));
        Log.Expect("stored a@1", "saved 1");
        Stop(seed);
        TaskCompletionSource first = new(), second = new();
        using SemaphoreSlim begun = new(0);
        int loads = 0;
        Faults.BeforeSnapshotLoad = () =>
        {
            Task gate = loads++ == 0 ? first.Task : second.Task;
            begun.Release();
            return gate;
        };
        IActorRef actor = Start("p");
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        Overflow(actor);
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        Answer(first);
        Answered();
        Log.ExpectEmpty();
        Answer(second);
        Log.Expect("offer S@1", "completed at 1", "m0", "m1", "m2", "m3", "m4");
    }

    [Fact]
    public void The_permit_is_not_lost()
    {
        TaskCompletionSource first = new(), second = new();
        using SemaphoreSlim begun = new(0);
        int loads = 0;
        Faults.BeforeSnapshotLoad = () =>
        {
            Task gate = loads++ switch { 0 => first.Task, 1 => second.Task, _ => Task.CompletedTask };
            begun.Release();
            return gate;
        };

        // One actor holds the only permit; another fails while it waits for it, and asks again.
        Start("p1");
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        IActorRef waiting = Start("p2");
        Overflow(waiting);
        Answer(first);
        Log.Expect("completed at 0");
        Assert.True(begun.Wait(TimeSpan.FromSeconds(20)));
        Answer(second);
        Log.Expect("completed at 0", "m0", "m1", "m2", "m3", "m4");
        Start("p3");
        Log.Expect("completed at 0");
    }

    /// <summary>Ends a wait and runs what follows it before it returns.</summary>
    private static void Answer(TaskCompletionSource source) => Task.Run(source.SetResult).Wait();

    /// <summary>Waits until the actor has taken what it was told so far.</summary>
    private void Answered()
    {
        ActorSelection actor = System.ActorSelection($"/user/a{Count}");
        Assert.NotNull(actor.Ask<ActorIdentity>(new Identify(1), TimeSpan.FromSeconds(20)).Result.Subject);
    }

    private void Overflow(IActorRef actor)
    {
        for (int i = 0; i < 6; i++)
        {
            actor.Tell(new Mark($"m{i}"));
        }

        Assert.StartsWith("restart the internal stash of", Log.Next("restart"), StringComparison.Ordinal);
        Log.Expect("stopped");
    }
}
