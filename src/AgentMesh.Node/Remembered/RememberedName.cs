using System.Net;

namespace AgentMesh.Node.Remembered;

/// <summary>An address at which a host answered, and when it did last.</summary>
internal readonly record struct ProvenAddress(IPAddress Address, DateTimeOffset At);

/// <summary>A host that is known by name, and where it answered.</summary>
internal sealed record RememberedName(string Host, IReadOnlyList<ProvenAddress> Addresses)
{
    public const int AddressesMax = 4;

    /// <summary>As in the domain name system.</summary>
    public const int HostCharsMax = 253;

    /// <summary>When it answered last.</summary>
    public DateTimeOffset At => Addresses.Count == 0 ? DateTimeOffset.MinValue : Addresses[0].At;

    /// <summary>When it was written to disk last by this process.</summary>
    public DateTimeOffset SavedAt { get; init; }

    /// <summary>This process uses these addresses because the name is not resolved.</summary>
    public bool IsInUse { get; init; }

    /// <summary>Something needs this host in the present life of the node.</summary>
    public bool IsWanted { get; init; }

    public RememberedName Answered(IPAddress address, DateTimeOffset now) => this with
    {
        Addresses = Lasting.Of([new ProvenAddress(address, now), .. Addresses.Where(known => !known.Address.Equals(address)).Select(known => known with { At = known.At.NoLaterThan(now) })], known => known.At, AddressesMax),
        IsWanted = true,
    };
}
