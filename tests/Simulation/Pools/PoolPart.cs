using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Pools;
using AgentMesh.Protocol.Identity;
using Simulation.Engine;

namespace Simulation.Pools;

/// <summary>A device's part in a pool: its way to the database, which outlives its processes.</summary>
internal sealed class PoolPart(string name, PoolServer server, PoolLink link)
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    public PoolLink Link => link;

    /// <summary>As the product does for a process that starts.</summary>
    public PoolHost Open(SimMachine machine, DeviceId device)
    {
        var settings = new PostgresSettings
        {
            Pool = HomeId.Pool(name).ToString(),
            ConnectionString = "",
            Device = device.ToString(),
            DeviceName = device.ToString(),
            Lease = Lease,
        };
        var pool = PostgresPool.Open(settings, new PoolClient(machine.Loop, machine.Process, server, link, device.ToString()), machine.Clock);
        machine.Killed = () => _ = pool.DisposeAsync().AsTask();
        return new PoolHost(pool, settings, name, machine.Clock);
    }
}
