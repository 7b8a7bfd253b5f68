using AgentMesh.Engine;
using AgentMesh.EngineTests;
using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

/// <summary>Which of three snapshots, an hour apart, a recovery is offered.</summary>
public sealed class SnapshotSelectionTests : PersistenceTest
{
    private readonly DateTime _start;

    public SnapshotSelectionTests()
        : this(new ShiftedClock())
    {
    }

    private SnapshotSelectionTests(ShiftedClock clock)
        : base(setup: new EngineSetup(clock, new Random(1)))
    {
        _start = clock.GetUtcNow().UtcDateTime;
        IActorRef actor = Start("p");
        Log.Expect("completed at 0");
        for (int i = 1; i <= 3; i++)
        {
            int n = i;
            clock.Shift = TimeSpan.FromHours(n);
            actor.Tell(new Run(a => a.P($"e{n}", _ => a.SaveSnapshot($"S{n}"))));
            Log.Expect($"stored e{n}@{n}", $"saved {n}");
        }

        actor.Tell(new Run(a => a.P("e4")));
        Log.Expect("stored e4@4");
        Stop(actor);
    }

    [Fact]
    public void The_newest_is_taken_by_default_and_only_later_events_are_replayed()
    {
        Recover(SnapshotSelectionCriteria.Latest);
        Log.Expect("offer S3@3", "replay e4", "completed at 4");
    }

    [Fact]
    public void None_is_younger_than_the_time_of_the_criteria()
    {
        Recover(new SnapshotSelectionCriteria(long.MaxValue, _start.AddHours(2.5)));
        Log.Expect("offer S2@2", "replay e3", "replay e4", "completed at 4");
    }

    [Fact]
    public void None_is_above_the_number_of_the_criteria()
    {
        Recover(new SnapshotSelectionCriteria(2));
        Log.Expect("offer S2@2", "replay e3", "replay e4", "completed at 4");
    }

    [Fact]
    public void Number_and_time_must_both_fit()
    {
        Recover(new SnapshotSelectionCriteria(2, _start.AddHours(1.5)));
        Log.Expect("offer S1@1", "replay e2", "replay e3", "replay e4", "completed at 4");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    [InlineData(0, 2.5)]
    public void None_is_older_or_lower_than_the_minimum(long number, double hours)
    {
        Recover(new SnapshotSelectionCriteria(number == 0 && hours == 0 ? long.MaxValue : 2, DateTime.MaxValue, number, _start.AddHours(hours)));
        if (number == 0 && hours == 0)
            Log.Expect("offer S3@3", "replay e4", "completed at 4");
        else
            Log.Expect("replay e1", "replay e2", "replay e3", "replay e4", "completed at 4");
    }

    [Fact]
    public void Without_a_fitting_one_everything_is_replayed()
    {
        Recover(new SnapshotSelectionCriteria(long.MaxValue, _start));
        Log.Expect("replay e1", "replay e2", "replay e3", "replay e4", "completed at 4");
    }

    [Fact]
    public void That_of_another_entity_is_not_offered()
    {
        Start("other");
        Log.Expect("completed at 0");
    }

    [Fact]
    public void A_second_one_of_the_same_number_replaces_the_first()
    {
        IActorRef actor = Start("p");
        Log.Expect("offer S3@3", "replay e4", "completed at 4");
        actor.Tell(new Run(a => a.SaveSnapshot("first")));
        Log.Expect("saved 4");
        actor.Tell(new Run(a => a.SaveSnapshot("second")));
        Log.Expect("saved 4");
        Stop(actor);
        Start("p");
        Log.Expect("offer second@4", "completed at 4");
    }

    private void Recover(SnapshotSelectionCriteria criteria) => Start("p", new ScriptOptions { Recovery = new Recovery(criteria) });
}
