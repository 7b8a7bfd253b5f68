using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Pools;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Services;

/// <summary>A home that this device takes part in, and the index of its entities.</summary>
internal readonly record struct HomeIndex(HomeId Home, IEntityIndex Journal);

/// <summary>The homes of this device: itself, and its pool where it has one.</summary>
internal sealed class Homes(DeviceId self, IEntityIndex journal, PoolHost? pool, bool poolFirst)
{
    /// <summary>What people write for the device itself, where jobs go to the pool otherwise.</summary>
    public const string DeviceName = "device";

    private readonly HomeIndex _device = new(self, journal);

    /// <summary>In the order in which a short id is looked for.</summary>
    public IReadOnlyList<HomeIndex> All => pool is null ? [_device] : [_device, new HomeIndex(pool.Home, pool.Pool)];

    public bool Knows(HomeId home) => home == self || home == pool?.Home;

    /// <param name="name">As people write it: a pool, <c>device</c>, or nothing for the setting <c>jobs.home</c>.</param>
    /// <exception cref="MeshException">AM0456: this device is no member of that pool.</exception>
    public HomeIndex Of(string? name) => name switch
    {
        null or "" => poolFirst && pool is not null ? new HomeIndex(pool.Home, pool.Pool) : _device,
        DeviceName => _device,
        _ when pool is not null && (name == pool.Name || name == pool.Home.ToString()) => new HomeIndex(pool.Home, pool.Pool),
        _ => throw new MeshException(
            MeshErrors.UnknownPool,
            $"this device is no member of a pool '{name}'",
            pool is null ? "set agentmesh.pool, or leave --home out (docs/pools.md)" : $"its pool is '{pool.Name}'; 'device' is this device itself"),
    };
}
