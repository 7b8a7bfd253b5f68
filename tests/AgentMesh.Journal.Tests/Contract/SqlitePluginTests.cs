using AgentMesh.Errors;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace AgentMesh.Journal.Tests.Contract;

public sealed class SqliteJournalTests : JournalSpec
{
    private readonly TempDirectory _directory = new();

    protected override string Hocon => SqlitePersistence.Hocon(new EventStoreSettings { Path = _directory.File("journal.db") }) + "\n";

    public override void Dispose()
    {
        base.Dispose();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void An_event_that_cannot_be_serialized_is_rejected_with_its_whole_atomic_write_and_nothing_else()
    {
        Inbox inbox = new(System);
        AtomicWrite mixed = Several(Id, 2, 2, n => n == 3 ? new Unserializable("x") : new Text("e2"));
        Journal.Tell(new WriteMessages([One(Id, 1), mixed, One(Id, 4)], inbox.Ref, 1));
        inbox.Take<WriteMessagesSuccessful>();
        Assert.Equal(1, inbox.Take<WriteMessageSuccess>().Persistent.SequenceNr);
        Assert.Equal(2, inbox.Take<WriteMessageRejected>().Persistent.SequenceNr);
        Assert.Equal(3, inbox.Take<WriteMessageRejected>().Persistent.SequenceNr);
        Assert.Equal(4, inbox.Take<WriteMessageSuccess>().Persistent.SequenceNr);
        Assert.Equal(("1 4", 4L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));

        // The numbers of a write that was rejected altogether stay used as well.
        Journal.Tell(new WriteMessages([One(Id, 5, payload: new Unserializable("x"))], inbox.Ref, 1));
        inbox.Take<WriteMessagesSuccessful>();
        inbox.Take<WriteMessageRejected>();
        Write(Id, 6, 1);
        Assert.Equal(("1 4 6", 6L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [Fact]
    public void A_second_writer_of_an_entity_is_refused_and_its_actor_hears_of_a_failure()
    {
        Write(Id, 1, 3);
        Inbox inbox = new(System);
        Journal.Tell(new WriteMessages([One(Id, 3)], inbox.Ref, 1));
        Assert.Equal(JournalErrors.Fenced, Assert.IsType<MeshException>(inbox.Take<WriteMessagesFailed>().Cause).Code);
        inbox.Take<WriteMessageFailure>();
        Assert.Equal(("1 2 3", 3L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [Fact]
    public void A_journal_of_an_earlier_actor_system_cannot_follow_a_later_one()
    {
        Write(Id, 1, 1);
        using ActorSystem later = ActorSystem.Create("later", ConfigurationFactory.ParseString(Hocon + TextSerializer.Hocon));
        Inbox inbox = new(later);
        Akka.Persistence.Persistence.Instance.Apply(later).JournalFor(string.Empty).Tell(new WriteMessages([One(Id, 2)], inbox.Ref, 1));
        inbox.Take<WriteMessagesSuccessful>();

        Inbox zombie = new(System);
        Journal.Tell(new WriteMessages([One(Id, 3)], zombie.Ref, 1));
        Assert.Equal(JournalErrors.Fenced, Assert.IsType<MeshException>(zombie.Take<WriteMessagesFailed>().Cause).Code);
        Assert.Equal(("1 2", 2L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [Fact]
    public async Task Events_outlive_the_actor_system_and_the_store_closes_with_it()
    {
        Write(Id, 1, 2);
        await System.Terminate();
        using SqliteEventStore store = SqliteEventStore.Open(new EventStoreSettings { Path = _directory.File("journal.db") }, TimeProvider.System);
        EntitySummary entity = Assert.Single((await store.ListAsync("job/", null, 10)).Entities);
        Assert.Equal((Id, 2L, "text.1"), (entity.PersistenceId, entity.HighestSequence, entity.LastManifest));
    }

    [Fact]
    public async Task An_event_with_an_unknown_manifest_fails_the_recovery_of_its_entity_only()
    {
        using (SqliteEventStore store = SqliteEventStore.Open(new EventStoreSettings { Path = _directory.File("journal.db") }, TimeProvider.System))
        {
            await store.AppendAsync(new EventAppend("job/h/bad", 0, 1, [new EventRecord(1, 90_001, "text.99", [1], "w", 1)], 0));
        }

        Write(Id, 1, 1);
        Replay("job/h/bad", 1, long.MaxValue, long.MaxValue).Take<ReplayMessagesFailure>();
        Assert.Equal(("1", 1L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }
}

public sealed class SqliteSnapshotStoreTests : SnapshotStoreSpec
{
    private readonly TempDirectory _directory = new();

    protected override string Hocon => SqlitePersistence.Hocon(new EventStoreSettings { Path = _directory.File("journal.db") }) + "\n";

    public override void Dispose()
    {
        base.Dispose();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }
}
