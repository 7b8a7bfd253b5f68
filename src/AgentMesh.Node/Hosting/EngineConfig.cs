using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using Akka.Configuration;

namespace AgentMesh.Node.Hosting;

/// <summary>What a node tells the actor system: the user's <c>akka</c> settings win, then this, then the engine's own defaults.</summary>
internal static class EngineConfig
{
    public const string SystemName = "agentmesh";

    public static Config Create(NodeSettings settings, DeviceId self, EventStoreSettings journal, PostgresSettings? pool)
    {
        string roles = $"\"{MeshSharding.RoleOf(self)}\"" + (pool is null ? "" : $", \"{MeshSharding.RoleOf(HomeId.TryParse(pool.Pool, out HomeId home) ? home : throw new InvariantException("no pool"))}\"");
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
                roles = [{{roles}}]
                allow-weakly-up-members = on
                downing-provider-class = "AgentMesh.Remoting.MeshDowningProvider, AgentMesh.Remoting"
                mesh-downing.down-after = {{Millis(settings.Cluster.DownAfter)}}
                failure-detector.acceptable-heartbeat-pause = {{Millis(settings.Cluster.UnreachableAfter)}}
                run-coordinated-shutdown-when-down = off
              }
              # A device that stops must not wait long for others that are not there.
              coordinated-shutdown.phases {
                cluster-sharding-shutdown-region.timeout = 1s
                cluster-leave.timeout = 1s
                cluster-exiting.timeout = 1s
              }
            }
            """);
        Config merged = node
            .WithFallback(ConfigurationFactory.ParseString(MeshSerializer.Hocon()))
            .WithFallback(ConfigurationFactory.ParseString(SqlitePersistence.Hocon(journal)));
        if (pool is not null)
        {
            merged = merged.WithFallback(ConfigurationFactory.ParseString(PostgresPersistence.Hocon(pool)));
        }

        return settings.Engine.IsEmpty ? merged : settings.Engine.WithFallback(merged);
    }

    private static string EngineLevel(string level) => level == "off" ? "OFF" : level.ToUpperInvariant();

    private static string Millis(TimeSpan span) => span.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + "ms";
}
