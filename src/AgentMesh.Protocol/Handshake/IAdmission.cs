using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// Who gets past the handshake. Asked from the endpoint's thread while it handles a datagram, so answers come from memory, at once. Thread-safe.
/// Keys that are neither admitted nor hold a known invitation never learn that this device exists.
/// </summary>
public interface IAdmission
{
    bool IsAdmitted(DevicePublicKey key);

    /// <summary>The device that the key with this id speaks for, where it is not the first key of that device.</summary>
    DeviceId DeviceOf(DeviceId keyId) => keyId;

    /// <summary>
    /// Under which id a connection with the key with this id stands, of which there is one for each id, and the ways to who has it: that of the device, except for a key that gets in and does not speak for its device.
    /// </summary>
    DeviceId ListedAs(DeviceId keyId) => DeviceOf(keyId);

    /// <summary>What is known of an invitation that this device gave out. Looking does not use it up.</summary>
    InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now);

    /// <summary>Uses the invitation up for <paramref name="by"/>, exactly once, when its handshake is proven complete. False when another device was faster or it expired.</summary>
    bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now);
}

/// <param name="Secret">Set unless <paramref name="Status"/> is <see cref="InvitationStatus.Unknown"/>.</param>
public readonly record struct InvitationLookup(InvitationStatus Status, InvitationSecret Secret);

/// <summary>The numbers of the answer to an initiation that names an invitation.</summary>
public enum InvitationStatus : byte
{
    Open = 0,
    Used = 1,
    Expired = 2,

    /// <summary>Never on the wire: a stranger gets no answer.</summary>
    Unknown = 255,
}
