using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Web;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Server;

/// <summary>How a beacon runs. Immutable.</summary>
public sealed record BeaconSettings
{
    /// <summary>Holds the identity; made when it is not there.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Local addresses, at most one for each address family.</summary>
    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    /// <summary>A file with the ids of the devices that may use it; null for all that know its public key.</summary>
    public string? AdmissionFile { get; init; }

    /// <summary>Who of those may use it; null for all. Asked again every second.</summary>
    public Func<DeviceId, bool>? Admits { get; init; }

    public BeaconWebSettings Web { get; init; } = new();

    public BeaconLimits Limits { get; init; } = new();
}
