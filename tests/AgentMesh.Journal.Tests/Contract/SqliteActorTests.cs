using System.Collections.Concurrent;
using AgentMesh.Errors;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>Persistent actors on the SQLite plug-ins, through restarts of actors and of whole actor systems in one process that keeps the store open, as a node does.</summary>
public sealed class SqliteActorTests : IDisposable
{
    private const string Id = "job/h/1";
    private readonly TempDirectory _directory = new();
    private readonly List<ActorSystem> _systems = [];
    private readonly Reports _reports = new();
    private readonly ManualTime _time = new();
    private readonly EventStoreSettings _settings;
    private StoreLease<SqliteEventStore>? _node;

    public SqliteActorTests() => _settings = new EventStoreSettings { Path = _directory.File("journal.db"), AppendTimeout = Events.StoreFixture.Ample };

    private SqliteEventStore Store => (_node ??= EventStoreRegistry.Acquire(_settings, _time)).Store;

    public void Dispose()
    {
        foreach (ActorSystem system in _systems)
        {
            system.Terminate().Wait(TimeSpan.FromSeconds(20));
        }

        _node?.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_next_actor_system_recovers_what_an_earlier_one_stored()
    {
        _ = Store;
        ActorSystem system = NewSystem();
        IActorRef ledger = Start(system);
        ledger.Tell(new Put(["a", "b"]));
        ledger.Tell("snapshot");
        ledger.Tell(new Put(["c"]));
        List<string> seen = [.. Enumerable.Range(0, 5).Select(_ => _reports.Next())];
        Assert.Equal(["recovered 0", "put a@1", "put b@2", "put c@3"], seen.Where(s => s != "snapshot 2"));
        Assert.Contains("snapshot 2", seen);
        await system.Terminate();
        _reports.Expect("stopped");

        for (int generation = 1; generation <= 3; generation++)
        {
            system = NewSystem();
            ledger = Start(system);
            ledger.Tell(new Put([$"g{generation}"]));
            _reports.Expect(["offer a,b", "event c", .. Enumerable.Range(1, generation - 1).Select(g => $"event g{g}"), $"recovered {generation + 2}", $"put g{generation}@{generation + 3}"]);
            await system.Terminate();
            _reports.Expect("stopped");
        }

        EntitySummary entity = Assert.Single((await Store.ListAsync("job/", null, 10)).Entities);
        Assert.Equal((Id, 6L, "text.1"), (entity.PersistenceId, entity.HighestSequence, entity.LastManifest));
        Assert.Equal(Id, Assert.Single(await Store.OpenAsync("job/", new HashSet<string> { "closed.1" }, 10)).PersistenceId);
        Assert.Empty(await Store.OpenAsync("job/", new HashSet<string> { "text.1" }, 10));
    }

    [Fact]
    public void A_journal_that_starts_while_the_disk_is_stuck_writes_when_it_is_free_again()
    {
        _ = Store;
        IActorRef ledger;
        using (SqliteConnection blocker = Block())
        {
            ledger = Start(NewSystem());
            Assert.Equal("recovered 0", AfterDeadlines());
            Release(blocker);
        }

        ledger.Tell(new Put(["a"]));
        _reports.Expect("put a@1");
    }

    [Fact]
    public void An_actor_that_fails_while_its_write_is_on_its_way_recovers_that_write()
    {
        _ = Store;
        IActorRef ledger = Start(NewSystem());
        ledger.Tell(new Put(["a"]));
        _reports.Expect("recovered 0", "put a@1");
        using (SqliteConnection blocker = Block())
        {
            ledger.Tell(new Put(["b"], Fails: true));
            ledger.Tell(new Put(["c"]));
            _reports.Expect("failed");
            Release(blocker);
        }

        _reports.Expect("event a", "event b", "recovered 2", "put c@3");
    }

    [Fact]
    public void A_write_that_misses_its_deadline_stops_the_actor_and_the_next_one_recovers_the_truth()
    {
        _ = Store;
        ActorSystem system = NewSystem();
        IActorRef ledger = Start(system);
        ledger.Tell(new Put(["a"]));
        _reports.Expect("recovered 0", "put a@1");
        using (SqliteConnection blocker = Block())
        {
            ledger.Tell(new Put(["b"]));
            Assert.Equal($"persist failure b@2 {JournalErrors.Timeout}", AfterDeadlines());
            _reports.Expect("stopped");
            Release(blocker);
        }

        ledger = Start(system);
        Assert.Equal("event a", _reports.Next());
        string next = _reports.Next();
        long highest = 1;
        if (next == "event b")
        {
            highest = 2;
            next = _reports.Next();
        }

        Assert.Equal($"recovered {highest}", next);
    }

    [Fact]
    public void An_actor_of_an_earlier_actor_system_that_was_overtaken_hears_of_a_failure_and_stops()
    {
        _ = Store;
        IActorRef earlier = Start(NewSystem());
        earlier.Tell(new Put(["a"]));
        _reports.Expect("recovered 0", "put a@1");
        IActorRef later = Start(NewSystem());
        later.Tell(new Put(["b"]));
        _reports.Expect("event a", "recovered 1", "put b@2");
        earlier.Tell(new Put(["zombie"]));
        _reports.Expect($"persist failure zombie@2 {JournalErrors.Fenced}", "stopped");
        later.Tell(new Put(["c"]));
        _reports.Expect("put c@3");
    }

    [Fact]
    public void An_event_that_cannot_be_serialized_is_rejected_and_the_actor_goes_on()
    {
        _ = Store;
        ActorSystem system = NewSystem();
        IActorRef ledger = Start(system);
        ledger.Tell(new Put(["a", "!bad", "c"]));
        _reports.Expect("recovered 0", "put a@1", "rejected !bad@2", "put c@3");
        ledger.Tell(PoisonPill.Instance);
        _reports.Expect("stopped");
        Start(system);
        _reports.Expect("event a", "event c", "recovered 3");
    }

    private ActorSystem NewSystem()
    {
        ActorSystem system = ActorSystem.Create("ledger", ConfigurationFactory.ParseString(
            SqlitePersistence.Hocon(_settings) + "\n" + TextSerializer.Hocon + "\nakka.loglevel = ERROR\nakka.stdout-loglevel = OFF\nakka.loggers = []\nakka.log-dead-letters = off"));
        _systems.Add(system);
        return system;
    }

    private IActorRef Start(ActorSystem system)
    {
        Reports reports = _reports;
        return system.ActorOf(Props.Create(() => new Ledger(Id, reports)));
    }

    private SqliteConnection Block()
    {
        SqliteConnection connection = new($"Data Source={_settings.Path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return connection;
    }

    private static void Release(SqliteConnection blocker)
    {
        using SqliteCommand command = blocker.CreateCommand();
        command.CommandText = "ROLLBACK";
        command.ExecuteNonQuery();
    }

    /// <summary>Lets one deadline after the other pass until something is reported.</summary>
    private string AfterDeadlines()
    {
        for (int i = 0; i < 6000; i++)
        {
            if (_reports.TryNext(out string? line))
            {
                return line!;
            }

            _time.Advance(_settings.AppendTimeout);
        }

        throw new TimeoutException("nothing was reported");
    }

    private sealed record Put(string[] Entries, bool Fails = false);

    private sealed class Reports
    {
        private readonly BlockingCollection<string> _lines = [];

        public void Add(string line) => _lines.Add(line);

        public string Next() => _lines.TryTake(out string? line, TimeSpan.FromMinutes(2)) ? line : throw new TimeoutException("nothing was reported");

        public bool TryNext(out string? line) => _lines.TryTake(out line, TimeSpan.FromMilliseconds(20));

        public void Expect(params string[] lines)
        {
            foreach (string line in lines)
            {
                Assert.Equal(line, Next());
            }
        }
    }

    /// <summary>Keeps what was put into it; an entry that begins with ! has no serialized form.</summary>
    private sealed class Ledger : ReceivePersistentActor
    {
        private readonly Reports _reports;
        private readonly List<string> _entries = [];

        public Ledger(string id, Reports reports)
        {
            PersistenceId = id;
            _reports = reports;
            Recover<SnapshotOffer>(offer =>
            {
                _entries.AddRange(((Text)offer.Snapshot).Value.Split(','));
                reports.Add($"offer {string.Join(',', _entries)}");
            });
            Recover<Text>(e =>
            {
                _entries.Add(e.Value);
                reports.Add($"event {e.Value}");
            });
            Recover<RecoveryCompleted>(_ => reports.Add($"recovered {LastSequenceNr}"));
            Command<Put>(Store);
            Command<string>(_ => SaveSnapshot(new Text(string.Join(',', _entries))));
            Command<SaveSnapshotSuccess>(m => reports.Add($"snapshot {m.Metadata.SequenceNr}"));
        }

        public override string PersistenceId { get; }

        protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
            _reports.Add($"persist failure {@event switch { Text t => t.Value, _ => "?" }}@{sequenceNr} {(cause as MeshException)?.Code}");

        protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
            _reports.Add($"rejected {((Unserializable)@event).Value}@{sequenceNr}");

        protected override void PreRestart(Exception reason, object message)
        {
        }

        protected override void PostStop() => _reports.Add("stopped");

        private void Store(Put put)
        {
            foreach (string entry in put.Entries)
            {
                if (entry.StartsWith('!'))
                {
                    Persist(new Unserializable(entry), e => Stored(e.Value));
                }
                else
                {
                    Persist(new Text(entry), e => Stored(e.Value));
                }
            }

            if (put.Fails)
            {
                _reports.Add("failed");
                throw new FormatException("after persisting");
            }
        }

        private void Stored(string entry)
        {
            _entries.Add(entry);
            _reports.Add($"put {entry}@{LastSequenceNr}");
        }
    }
}
