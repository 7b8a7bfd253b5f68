using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing;

/// <summary>An invitation as its inviter remembers it. For storage, which must be as private as the identity file while the invitation is open.</summary>
/// <param name="UsedBy">The device that joined by it; none while it is open.</param>
public readonly record struct InvitationRecord(InvitationSecret Secret, DateTimeOffset ExpiresAt, DevicePublicKey UsedBy)
{
    /// <summary>The invitation that this one stands for, because its code was proven (pairing-v1.md); none for an invitation of its own.</summary>
    public InvitationId Of { get; init; }

    /// <summary>The one device that may use it; none where everybody may.</summary>
    public DevicePublicKey OnlyFor { get; init; }

    public bool IsUsed => !UsedBy.IsNone;
}
