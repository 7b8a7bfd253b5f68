using System.Globalization;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using Akka.Configuration;

namespace AgentMesh.Node.Hosting;

/// <summary>What a node tells the actor system: the user's <c>akka</c> settings win, then this, then the engine's own defaults.</summary>
internal static class EngineConfig
{
    public const string SystemName = "agentmesh";

    public static string RoleOf(DeviceId home) => "home-" + home;

    public static Config Create(NodeSettings settings, DeviceId self, Config serializers)
    {
        Config node = ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = {{EngineLevel(settings.LogLevel)}}
              stdout-loglevel = {{EngineLevel(settings.LogLevel)}}
              log-dead-letters = 1
              log-dead-letters-during-shutdown = off
              coordinated-shutdown.run-by-clr-shutdown-hook = off
              coordinated-shutdown.exit-clr = off
              actor.provider = cluster
              remote {
                enabled-transports = ["akka.remote.mesh"]
                mesh {
                  transport-class = "AgentMesh.Remoting.MeshTransport, AgentMesh.Remoting"
                  applied-adapters = []
                  transport-protocol = mesh
                }
              }
              cluster {
                roles = ["{{RoleOf(self)}}"]
                allow-weakly-up-members = on
                downing-provider-class = "AgentMesh.Remoting.MeshDowningProvider, AgentMesh.Remoting"
                mesh-downing.down-after = {{Millis(settings.Cluster.DownAfter)}}
                failure-detector.acceptable-heartbeat-pause = {{Millis(settings.Cluster.UnreachableAfter)}}
                run-coordinated-shutdown-when-down = off
              }
              persistence {
                journal.plugin = "akka.persistence.journal.agentmesh-sqlite"
                journal.agentmesh-sqlite {
                  class = "AgentMesh.Journal.SqliteJournal, AgentMesh.Journal"
                  file = "{{Escape(Path.Combine(settings.DataDirectory, "journal.db"))}}"
                }
                snapshot-store.plugin = "akka.persistence.snapshot-store.agentmesh-sqlite"
                snapshot-store.agentmesh-sqlite {
                  class = "AgentMesh.Journal.SqliteSnapshotStore, AgentMesh.Journal"
                  file = "{{Escape(Path.Combine(settings.DataDirectory, "journal.db"))}}"
                }
              }
            }
            """);
        Config merged = node.WithFallback(serializers);
        return settings.Engine.IsEmpty ? merged : settings.Engine.WithFallback(merged);
    }

    private static string EngineLevel(string level) => level == "off" ? "OFF" : level.ToUpperInvariant();

    private static string Millis(TimeSpan span) => span.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + "ms";

    private static string Escape(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
