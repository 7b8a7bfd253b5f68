namespace AgentMesh.Protocol.Packets;

/// <summary>The two low bits of a datagram's TOS or traffic class (RFC 3168, section 5).</summary>
internal enum EcnCodepoint : byte
{
    /// <summary>The sender does not ask for marks: where a queue is too long, the datagram is dropped.</summary>
    NotEct = 0,

    Ect1 = 1,

    /// <summary>A queue that is too long may mark it instead of dropping it.</summary>
    Ect0 = 2,

    /// <summary>It was marked: congestion experienced.</summary>
    Ce = 3,
}
