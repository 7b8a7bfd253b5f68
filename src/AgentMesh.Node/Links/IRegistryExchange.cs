using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Links;

/// <summary>What links need of the registry: how far this copy reaches, what another lacks, and taking in what it sends. Thread-safe.</summary>
internal interface IRegistryExchange
{
    /// <summary>Raised after entries were added, by this device or from a link.</summary>
    event Action? Changed;

    /// <summary>Entries that this copy has of each author's chain.</summary>
    IReadOnlyDictionary<DeviceId, ulong> Heads();

    /// <summary>Canonical bytes of what a copy with these heads lacks, in chain order, at most <paramref name="most"/>.</summary>
    IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most);

    /// <summary>Verifies and keeps what is new; what does not verify is dropped and counted.</summary>
    void Take(IEnumerable<byte[]> entries);
}
