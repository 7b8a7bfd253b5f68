using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

public sealed class DeletionTests : PersistenceTest
{
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
}
