using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Node.Pairing;

/// <summary>An invitation with what this device needs to know of it after a restart.</summary>
/// <param name="Grants">What the joining device may do here beside the default.</param>
internal sealed record KeptInvitation(InvitationSecret Secret, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt, IReadOnlyCollection<string> Grants)
{
    /// <summary>The device that joined by it; none while it is open.</summary>
    public DevicePublicKey UsedBy { get; init; }

    /// <summary>It was used, and the device that did so is not in the registry yet: its name is not known.</summary>
    public bool IsPending { get; init; }

    /// <summary>What the device that used it called itself; null before it said so.</summary>
    public string? Name { get; init; }

    public string? CheckDigits { get; init; }
}
