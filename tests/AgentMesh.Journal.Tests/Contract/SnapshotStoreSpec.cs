using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>The contract of an Akka.Persistence snapshot store; what a new one must pass.</summary>
public abstract class SnapshotStoreSpec : IDisposable
{
    private const string Id = "job/h/1";
    private readonly Lazy<ActorSystem> _system;

    protected SnapshotStoreSpec() => _system = new Lazy<ActorSystem>(() => ActorSystem.Create(
        "snapshots-" + Guid.NewGuid().ToString("N")[..8],
        ConfigurationFactory.ParseString(Hocon + TextSerializer.Hocon + "\nakka.loglevel = ERROR\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off")));

    /// <summary>Configures the snapshot store as the default one.</summary>
    protected abstract string Hocon { get; }

    protected ActorSystem System => _system.Value;

    private IActorRef Store => Akka.Persistence.Persistence.Instance.Apply(System).SnapshotStoreFor(string.Empty);

    public virtual void Dispose()
    {
        if (_system.IsValueCreated)
        {
            System.Terminate().Wait(TimeSpan.FromSeconds(20));
        }

        GC.SuppressFinalize(this);
    }

    [SkippableFact]
    public void Finds_nothing_where_nothing_was_saved() => Assert.Null(Load("job/h/none", SnapshotSelectionCriteria.Latest));

    [SkippableFact]
    public void Finds_the_newest()
    {
        Save(10, 20, 30);
        SelectedSnapshot found = Load(Id, SnapshotSelectionCriteria.Latest)!;
        Assert.Equal((Id, 30L, new Text("S30")), (found.Metadata.PersistenceId, found.Metadata.SequenceNr, found.Snapshot));
    }

    [SkippableFact]
    public void Selects_by_number_within_inclusive_bounds()
    {
        Save(10, 20, 30);
        Assert.Equal(20, Load(Id, new SnapshotSelectionCriteria(29))!.Metadata.SequenceNr);
        Assert.Equal(20, Load(Id, new SnapshotSelectionCriteria(20))!.Metadata.SequenceNr);
        Assert.Null(Load(Id, new SnapshotSelectionCriteria(9)));
        Assert.Null(Load(Id, new SnapshotSelectionCriteria(19, DateTime.MaxValue, 11)));
        Assert.Equal(10, Load(Id, SnapshotSelectionCriteria.Latest, to: 19)!.Metadata.SequenceNr);
    }

    [SkippableFact]
    public void Selects_by_time()
    {
        Save(10);
        DateTime saved = Load(Id, SnapshotSelectionCriteria.Latest)!.Metadata.Timestamp;
        Assert.Equal(10, Load(Id, new SnapshotSelectionCriteria(long.MaxValue, saved.AddSeconds(1)))!.Metadata.SequenceNr);
        Assert.Null(Load(Id, new SnapshotSelectionCriteria(long.MaxValue, saved.AddSeconds(-1))));
        Assert.Null(Load(Id, new SnapshotSelectionCriteria(long.MaxValue, DateTime.MaxValue, 0, saved.AddSeconds(1))));
    }

    [SkippableFact]
    public void None_finds_nothing()
    {
        Save(10);
        Assert.Null(Load(Id, SnapshotSelectionCriteria.None));
    }

    [SkippableFact]
    public void Saving_the_same_number_again_replaces_it()
    {
        Save(10);
        Save(10, "again");
        Assert.Equal(new Text("again"), Load(Id, SnapshotSelectionCriteria.Latest)!.Snapshot);
    }

    [SkippableFact]
    public void Deletes_one()
    {
        Save(10, 20);
        Inbox inbox = new(System);
        Store.Tell(new DeleteSnapshot(new SnapshotMetadata(Id, 20)), inbox.Ref);
        Assert.Equal(20, inbox.Take<DeleteSnapshotSuccess>().Metadata.SequenceNr);
        Assert.Equal(10, Load(Id, SnapshotSelectionCriteria.Latest)!.Metadata.SequenceNr);
    }

    [SkippableFact]
    public void Deletes_by_criteria_and_only_of_that_persistence_id()
    {
        Save(10, 20, 30);
        Inbox inbox = new(System);
        Store.Tell(new SaveSnapshot(new SnapshotMetadata("job/h/2", 5), new Text("other")), inbox.Ref);
        inbox.Take<SaveSnapshotSuccess>();
        Store.Tell(new DeleteSnapshots(Id, new SnapshotSelectionCriteria(20)), inbox.Ref);
        inbox.Take<DeleteSnapshotsSuccess>();
        Assert.Null(Load(Id, new SnapshotSelectionCriteria(29)));
        Assert.Equal(30, Load(Id, SnapshotSelectionCriteria.Latest)!.Metadata.SequenceNr);
        Assert.Equal(5, Load("job/h/2", SnapshotSelectionCriteria.Latest)!.Metadata.SequenceNr);
    }

    private void Save(params long[] numbers)
    {
        foreach (long n in numbers)
        {
            Save(n, $"S{n}");
        }
    }

    private void Save(long number, string text)
    {
        Inbox inbox = new(System);
        Store.Tell(new SaveSnapshot(new SnapshotMetadata(Id, number), new Text(text)), inbox.Ref);
        SaveSnapshotSuccess saved = inbox.Take<SaveSnapshotSuccess>();
        Assert.Equal(number, saved.Metadata.SequenceNr);
        Assert.NotEqual(DateTime.MinValue, saved.Metadata.Timestamp);
    }

    private SelectedSnapshot? Load(string id, SnapshotSelectionCriteria criteria, long to = long.MaxValue)
    {
        Inbox inbox = new(System);
        Store.Tell(new LoadSnapshot(id, criteria, to), inbox.Ref);
        return inbox.Take<LoadSnapshotResult>().Snapshot;
    }
}
