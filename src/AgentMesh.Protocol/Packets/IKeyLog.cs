using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Takes the secrets of sessions, so that a recording of them can be read (wire-v1.md, "Key log"). Whoever has the log reads everything: off unless somebody asks. Thread-safe.
/// </summary>
public interface IKeyLog
{
    /// <param name="toInitiator">The connection id of packets to the side that opened.</param>
    /// <param name="toResponder">The connection id of packets to the side that answered.</param>
    /// <param name="secret">32 bytes, all keys of the epoch come from it.</param>
    void Add(ConnectionId toInitiator, ConnectionId toResponder, CipherSuite suite, uint epoch, ReadOnlySpan<byte> secret);
}
