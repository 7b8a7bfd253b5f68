using AgentMesh.Errors;

namespace AgentMesh.Protocol.Handshake;

/// <summary>What a user is told about an attempt that failed.</summary>
public static class AttemptFailures
{
    /// <param name="target">How the user named the device: a name, an address, an invitation.</param>
    public static MeshException ToException(this AttemptFailed failed, string target) => failed.Reason switch
    {
        AttemptFailure.InvitationUsed => new MeshException(
            ProtocolErrors.InvitationUsed,
            $"the invitation of {target} was used already; each admits one device",
            "Make a new one with 'agentmesh invite' there. If you did not use it, somebody else has read it: look at 'agentmesh peers' on that device."),
        AttemptFailure.InvitationExpired => new MeshException(
            ProtocolErrors.InvitationExpired,
            $"the invitation of {target} expired",
            "Make a new one with 'agentmesh invite' there."),
        AttemptFailure.BadKey => new MeshException(
            ProtocolErrors.UnusableKey,
            $"the public key of {target} is no usable Ed25519 key: {failed.RemoteKey}",
            "Pair with the device again."),
        _ => new MeshException(
            ProtocolErrors.NoAnswer,
            $"{target} did not answer",
            "Check that it runs, that its UDP port can be reached from here, and that it still has this device among its peers: devices do not answer strangers."),
    };
}
