using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Links;

/// <summary>The registry as links see it.</summary>
internal sealed class RegistryExchange(DeviceRegistry registry) : IRegistryExchange
{
    public event Action? Changed
    {
        add => registry.Changed += value;
        remove => registry.Changed -= value;
    }

    public IReadOnlyDictionary<DeviceId, ulong> Heads() => registry.Heads();

    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) => registry.EntriesAfter(heads, most);

    public void Take(IEnumerable<byte[]> entries) => registry.Take(entries);
}
