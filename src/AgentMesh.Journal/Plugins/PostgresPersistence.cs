using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>The configuration of the plug-ins of a pool. They are not the default ones: entities of the pool name them.</summary>
public static class PostgresPersistence
{
    /// <summary>Configuration path of <see cref="PostgresJournal"/>.</summary>
    public const string JournalPluginId = "akka.persistence.journal.agentmesh-postgres";

    /// <summary>Configuration path of <see cref="PostgresSnapshotStore"/>.</summary>
    public const string SnapshotStorePluginId = "akka.persistence.snapshot-store.agentmesh-postgres";

    /// <summary>HOCON of both plug-ins. It names the pool, which must be open (<see cref="PostgresPool.Open"/>), and holds no secret.</summary>
    public static string Hocon(PostgresSettings settings)
    {
        long calls = (long)(settings.AppendTimeout + settings.TakeTimeout + TimeSpan.FromSeconds(5)).TotalMilliseconds;
        string common = $$"""
            pool = "{{settings.Pool}}"
            device = "{{settings.Device}}"
            recovery-event-timeout = {{calls}}ms
            circuit-breaker {
              max-failures = 50
              call-timeout = {{calls}}ms
              reset-timeout = 1s
            }
            """;
        return $$"""
            {{JournalPluginId}} {
              class = "AgentMesh.Journal.PostgresJournal, AgentMesh.Journal"
            {{common}}
            }
            {{SnapshotStorePluginId}} {
              class = "AgentMesh.Journal.PostgresSnapshotStore, AgentMesh.Journal"
            {{common}}
            }
            """;
    }

    internal static StoreLease<PostgresEventStore> Acquire(Config config, ActorSystem system) => PostgresPool.Find(config.GetString("pool", ""), config.GetString("device", "")).Acquire(system);
}
