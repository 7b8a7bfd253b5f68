using AgentMesh.Errors;
using AgentMesh.Journal.Tests.Postgres;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace AgentMesh.Journal.Tests.Contract;

[Collection(PostgresCollection.Name)]
public sealed class PostgresJournalTests(PostgresFixture postgres) : JournalSpec
{
    private TestPool? _pool;

    protected override string Hocon => PostgresPersistence.Hocon((_pool ??= new TestPool(postgres.Server.NewDatabase())).Settings)
        + $"\nakka.persistence.journal.plugin = \"{PostgresPersistence.JournalPluginId}\"\n";

    public override void Dispose()
    {
        base.Dispose();
        _pool?.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(20));
        GC.SuppressFinalize(this);
    }

    [SkippableFact]
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
        Inbox second = new(System);
        Journal.Tell(new WriteMessages([One(Id, 5, payload: new Unserializable("y"))], second.Ref, 1));
        second.Take<WriteMessagesSuccessful>();
        Assert.Equal(5, second.Take<WriteMessageRejected>().Persistent.SequenceNr);
        Assert.Equal(("1 4", 5L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [SkippableFact]
    public void A_write_that_does_not_follow_the_last_one_fails_and_stores_nothing()
    {
        Write(Id, 1, 3);
        Inbox inbox = new(System);
        Journal.Tell(new WriteMessages([One(Id, 3)], inbox.Ref, 1));
        Assert.Equal(JournalErrors.Fenced, Assert.IsType<MeshException>(inbox.Take<WriteMessagesFailed>().Cause).Code);
        Assert.Equal(("1 2 3", 3L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [SkippableFact]
    public async Task An_actor_system_that_ends_leaves_its_shards_to_the_next_one_at_once()
    {
        Write(Id, 1, 2);
        await System.Terminate();
        ActorSystem next = ActorSystem.Create("next", ConfigurationFactory.ParseString(Hocon + TextSerializer.Hocon));
        try
        {
            Inbox inbox = new(next);
            Akka.Persistence.Persistence.Instance.Apply(next).JournalFor(string.Empty).Tell(new ReplayMessages(1, long.MaxValue, long.MaxValue, Id, inbox.Ref));
            Assert.Equal(1, inbox.Take<ReplayedMessage>().Persistent.SequenceNr);
        }
        finally
        {
            await next.Terminate();
        }
    }
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresSnapshotStoreTests(PostgresFixture postgres) : SnapshotStoreSpec
{
    private TestPool? _pool;

    protected override string Hocon => PostgresPersistence.Hocon((_pool ??= new TestPool(postgres.Server.NewDatabase())).Settings)
        + $"\nakka.persistence.snapshot-store.plugin = \"{PostgresPersistence.SnapshotStorePluginId}\"\n";

    public override void Dispose()
    {
        base.Dispose();
        _pool?.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(20));
        GC.SuppressFinalize(this);
    }
}
