using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Handshake;

public abstract record HandshakeEvent(DevicePublicKey RemoteKey);

/// <summary>A session is there. A session with the same device that was there before is replaced unless <see cref="SimultaneousOpen"/> says otherwise.</summary>
public sealed record SessionEstablished(EstablishedSession Session) : HandshakeEvent(Session.RemoteKey);

/// <summary>An attempt of this side ended without a session.</summary>
public sealed record AttemptFailed(DevicePublicKey RemoteKey, AttemptFailure Reason) : HandshakeEvent(RemoteKey);

public enum AttemptFailure
{
    /// <summary>Nobody answered: not there, not reachable, or this device is a stranger to it.</summary>
    NoAnswer,
    InvitationUsed,
    InvitationExpired,

    /// <summary>The key is no usable point of the curve.</summary>
    BadKey,
}

/// <summary>A datagram to be sent. Its bytes are in the buffer that was handed in.</summary>
public readonly record struct HandshakeTransmit(IPEndPoint To, int Length);

/// <summary>What became of a datagram, for counters. Nothing but the last two ever causes an answer.</summary>
public enum HandshakeOutcome
{
    /// <summary>Not of this protocol, a wrong length, an unknown version or suite.</summary>
    Malformed,

    /// <summary>A MAC, a key or a payload is wrong, or it belongs to nothing that is going on.</summary>
    Refused,

    /// <summary>A key that is not admitted and holds no invitation.</summary>
    Stranger,

    /// <summary>An initiation that was seen before.</summary>
    Replayed,

    /// <summary>Left to the own attempt that is under way.</summary>
    Yielded,

    /// <summary>Too many from this address.</summary>
    Limited,

    /// <summary>Understood; nothing more to do or say.</summary>
    Accepted,

    /// <summary>A cookie was asked for.</summary>
    Challenged,

    /// <summary>An answer is ready to be sent.</summary>
    Answered,
}
