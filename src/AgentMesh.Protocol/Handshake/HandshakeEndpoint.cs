namespace AgentMesh.Protocol.Handshake;

/// <summary>Limits of handshake messages.</summary>
public static class HandshakeEndpoint
{
    /// <summary>What a connection may tell the other side during the handshake, zero-padded.</summary>
    public const int ParametersBytes = 32;

    /// <summary>No handshake datagram is longer.</summary>
    public const int MaxDatagramBytes = 256;
}
