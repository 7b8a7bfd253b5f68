using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Tests.Handshake;

/// <summary>A registry of keys beside a real <see cref="InvitationBook"/>.</summary>
internal sealed class TestAdmission(InvitationBook? book = null) : IAdmission
{
    public HashSet<DevicePublicKey> Admitted { get; } = [];

    public bool IsAdmitted(DevicePublicKey key) => Admitted.Contains(key);

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => book?.Find(id, now) ?? new(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => book is not null && book.TryTake(id, by, now);
}
