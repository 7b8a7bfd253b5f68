using System.Globalization;
using System.Text;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>The configuration of the plug-ins: where they stand and how they read their settings.</summary>
public static class SqlitePersistence
{
    /// <summary>Configuration path of <see cref="SqliteJournal"/>.</summary>
    public const string JournalPluginId = "akka.persistence.journal.agentmesh-sqlite";

    /// <summary>Configuration path of <see cref="SqliteSnapshotStore"/>.</summary>
    public const string SnapshotStorePluginId = "akka.persistence.snapshot-store.agentmesh-sqlite";

    /// <summary>
    /// HOCON that makes both plug-ins the default ones of an actor system, on this store. Open the store first through <see cref="EventStoreRegistry"/> and keep the lease as long as
    /// the process lives: then its errors come at the start, and the actor systems that follow each other share it.
    /// </summary>
    public static string Hocon(EventStoreSettings settings)
    {
        string common = $$"""
            file = {{Quote(Path.GetFullPath(settings.Path))}}
            append-timeout = {{Milliseconds(settings.AppendTimeout)}}
            queued-writes-max = {{settings.QueuedWritesMax}}
            queued-bytes-max = {{settings.QueuedBytesMax}}
            batch-writes-max = {{settings.BatchWritesMax}}
            readers = {{settings.Readers}}
            check-bytes-max = {{settings.CheckBytesMax}}
            file-bytes-max = {{settings.FileBytesMax}}
            circuit-breaker {
              max-failures = 50
              call-timeout = {{Milliseconds(settings.AppendTimeout + TimeSpan.FromSeconds(5))}}
              reset-timeout = 2s
            }
            """;
        return $$"""
            akka.persistence {
              journal {
                plugin = "{{JournalPluginId}}"
                agentmesh-sqlite {
                  class = "AgentMesh.Journal.SqliteJournal, AgentMesh.Journal"
            {{common}}
                }
              }
              snapshot-store {
                plugin = "{{SnapshotStorePluginId}}"
                agentmesh-sqlite {
                  class = "AgentMesh.Journal.SqliteSnapshotStore, AgentMesh.Journal"
            {{common}}
                }
              }
            }
            """;
    }

    internal static EventStoreSettings Read(Config config)
    {
        EventStoreSettings defaults = new() { Path = config.GetString("file", "journal.db") };
        return defaults with
        {
            AppendTimeout = config.GetTimeSpan("append-timeout", defaults.AppendTimeout),
            QueuedWritesMax = config.GetInt("queued-writes-max", defaults.QueuedWritesMax),
            QueuedBytesMax = config.GetLong("queued-bytes-max", defaults.QueuedBytesMax),
            BatchWritesMax = config.GetInt("batch-writes-max", defaults.BatchWritesMax),
            Readers = config.GetInt("readers", defaults.Readers),
            CheckBytesMax = config.GetLong("check-bytes-max", defaults.CheckBytesMax),
            FileBytesMax = config.GetLong("file-bytes-max", defaults.FileBytesMax),
        };
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms";

    private static string Quote(string text) => new StringBuilder("\"").Append(text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"').ToString();
}
