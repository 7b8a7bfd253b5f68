using System.Diagnostics;
using AgentMesh.Journal.Tests.Contract;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>Persistent actors of a pool while their journal is refused, slow, and commits without an answer; and one whose member loses the database.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PoolActorTests(PostgresFixture postgres)
{
    private const int Actors = 4;

    // What trial 8 asks: longer than the lease of the member.
    private static readonly TimeSpan Trouble = TimeSpan.FromSeconds(10);

    [SkippableFact]
    public async Task Every_entry_is_kept_once_through_a_journal_that_refuses_is_slow_and_loses_answers()
    {
        string database = postgres.Server.NewDatabase();
        using DatabaseProxy proxy = new(postgres.Server);
        await using TestPool pool = new(proxy.ConnectionString(database), lease: TimeSpan.FromSeconds(3), change: s => s with { AppendTimeout = TimeSpan.FromSeconds(5), TakeTimeout = TimeSpan.FromSeconds(3) });
        ActorSystem system = NewSystem(pool);
        try
        {
            IActorRef[] keepers = [.. Enumerable.Range(0, Actors).Select(i => system.ActorOf(Props.Create(() => new Keeper($"job/h/{i}"))))];
            await Task.WhenAll(keepers.Select(keeper => AddAsync(keeper, "before")));

            proxy.Refuses = true;
            Task[] refused = [.. keepers.Select(keeper => AddAsync(keeper, "refused"))];
            await Task.Delay(Trouble);
            proxy.Refuses = false;
            await Task.WhenAll(refused);

            proxy.Delay = TimeSpan.FromMilliseconds(150);
            List<string> added = ["before", "refused"];
            for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Trouble;)
            {
                string entry = $"slow{added.Count}";
                added.Add(entry);
                await Task.WhenAll(keepers.Select(keeper => AddAsync(keeper, entry)));
            }

            proxy.Delay = TimeSpan.Zero;

            for (int i = 0; i < 5; i++)
            {
                proxy.SwallowCommits(1);
                string entry = $"lost{i}";
                added.Add(entry);
                await Task.WhenAll(keepers.Select(keeper => AddAsync(keeper, entry)));
            }

            Assert.InRange(proxy.Swallowed, 3, 5);
            Assert.True(added.Count > 10, $"{added.Count} entries");
            string expected = string.Join(',', added.Order(StringComparer.Ordinal));
            foreach (IActorRef keeper in keepers)
            {
                Assert.Equal(expected, string.Join(',', (await AskAsync(keeper, "?")).Split(',').Order(StringComparer.Ordinal)));
            }
        }
        finally
        {
            await system.Terminate();
        }
    }

    /// <summary>Trial 1 with processes: whoever serves a client is killed wherever it is, then the whole server, again and again.</summary>
    [SkippableFact]
    public async Task Every_entry_is_kept_once_while_backends_and_the_server_are_killed_under_load()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using PostgresServer server = new();
        string database = server.NewDatabase();
        await using TestPool pool = new(database, lease: TimeSpan.FromSeconds(4), change: s => s with { AppendTimeout = TimeSpan.FromSeconds(10), TakeTimeout = TimeSpan.FromSeconds(3) });
        ActorSystem system = NewSystem(pool);
        try
        {
            IActorRef[] keepers = [.. Enumerable.Range(0, Actors).Select(i => system.ActorOf(Props.Create(() => new Keeper($"job/h/{i}"))))];
            await Task.WhenAll(keepers.Select(keeper => AddAsync(keeper, "before")));
            using CancellationTokenSource over = new();
            int[] added = new int[Actors];
            Task[] load = [.. keepers.Select((keeper, i) => Task.Run(async () =>
            {
                for (int entry = 0; !over.IsCancellationRequested; entry++)
                {
                    await AddAsync(keeper, $"e{entry}");
                    Volatile.Write(ref added[i], entry + 1);
                }
            }))];
            int killed = 0;
            for (int round = 0; round < 5; round++)
            {
                int[] until = [.. added.Select(count => count + 5)];
                while (!added.Zip(until).All(each => each.First >= each.Second))
                {
                    Assert.All(load, task => Assert.False(task.IsFaulted, task.Exception?.ToString()));
                    await Task.Delay(10);
                }

                if (round % 2 == 0)
                {
                    killed += server.KillBackends();
                }
                else
                {
                    server.Crash();
                    server.Start();
                }
            }

            await over.CancelAsync();
            await Task.WhenAll(load);
            Assert.InRange(killed, 3, int.MaxValue);
            for (int i = 0; i < Actors; i++)
            {
                string[] kept = (await AskAsync(keepers[i], "?")).Split(',');
                Assert.Equal(["before", .. Enumerable.Range(0, added[i]).Select(entry => $"e{entry}")], kept);
            }
        }
        finally
        {
            await system.Terminate();
        }
    }

    private static ActorSystem NewSystem(TestPool pool) => ActorSystem.Create("trial", ConfigurationFactory.ParseString(
        PostgresPersistence.Hocon(pool.Settings) + "\n" + TextSerializer.Hocon + $$"""

        akka.persistence.journal.plugin = "{{PostgresPersistence.JournalPluginId}}"
        akka.persistence.snapshot-store.plugin = "{{PostgresPersistence.SnapshotStorePluginId}}"
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.log-dead-letters = off
        """));

    /// <summary>Repeats until it is acknowledged, as a client with an idempotency key does.</summary>
    private static Task AddAsync(IActorRef keeper, string entry) => AskAsync(keeper, entry);

    private static async Task<string> AskAsync(IActorRef keeper, string question)
    {
        for (int i = 0; i < 60; i++)
        {
            try
            {
                return await keeper.Ask<string>(question, TimeSpan.FromSeconds(2));
            }
            catch (AskTimeoutException)
            {
                // Its actor has stopped, or waits for the journal.
            }
        }

        throw new TimeoutException($"'{question}' was never answered: an actor is stuck");
    }

    /// <summary>Starts the actor again with the next message when it has stopped, as a shard does.</summary>
    private sealed class Keeper(string id) : UntypedActor
    {
        private IActorRef? _child;

        protected override void OnReceive(object message)
        {
            if (message is Terminated)
            {
                _child = null;
                return;
            }

            _child ??= Context.Watch(Context.ActorOf(Props.Create(() => new Tally(id))));
            _child.Forward(message);
        }
    }

    private sealed class Tally : ReceivePersistentActor
    {
        private readonly List<string> _entries = [];

        public Tally(string id)
        {
            PersistenceId = id;
            Recover<Text>(e => _entries.Add(e.Value));
            Command<string>(entry =>
            {
                if (entry == "?")
                {
                    Sender.Tell(string.Join(',', _entries));
                }
                else if (_entries.Contains(entry))
                {
                    Sender.Tell("repeated");
                }
                else
                {
                    IActorRef asker = Sender;
                    Persist(new Text(entry), e =>
                    {
                        _entries.Add(e.Value);
                        asker.Tell("kept");
                    });
                }
            });
        }

        public override string PersistenceId { get; }
    }
}
