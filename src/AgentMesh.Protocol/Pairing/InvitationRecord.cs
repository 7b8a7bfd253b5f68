using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing;

/// <summary>An invitation as its inviter remembers it. For storage, which must be as private as the identity file while the invitation is open.</summary>
/// <param name="UsedBy">The device that joined by it; none while it is open.</param>
public readonly record struct InvitationRecord(InvitationSecret Secret, DateTimeOffset ExpiresAt, DevicePublicKey UsedBy)
{
    public bool IsUsed => !UsedBy.IsNone;
}
