using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace Benchmarks;

/// <summary>Admits everybody, or one device.</summary>
internal sealed class Guests(DevicePublicKey? only = null) : IAdmission
{
    public bool IsAdmitted(DevicePublicKey key) => only is null || key == only;

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;
}
