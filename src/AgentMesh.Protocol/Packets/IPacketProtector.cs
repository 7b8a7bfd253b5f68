namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Seals and opens the packets of one session, in place and without allocating, and renews its keys. Owned by one connection; not thread-safe.
/// The layout is in <c>docs/protocol/wire-v1.md</c>, "Packet protection".
/// </summary>
public interface IPacketProtector : IDisposable
{
    /// <summary>
    /// Seals one packet. The payload lies at <c>datagram[PacketLayout.HeaderBytes..]</c>; the header is written before it and the tag after it, so
    /// <paramref name="datagram"/> must be at least <paramref name="payloadLength"/> + <see cref="PacketLayout.Overhead"/> long.
    /// </summary>
    /// <param name="packetNumber">Greater than every one sealed before on this path: a number used twice would break the cipher, so that throws.</param>
    /// <param name="length">Bytes of the finished datagram.</param>
    /// <returns>False when the keys are used up or too old; the connection is at its end then (see <see cref="IsExpired"/>).</returns>
    bool TrySeal(Span<byte> datagram, int payloadLength, ConnectionId destination, PathId path, ulong packetNumber, TimeSpan now, out int length);

    /// <summary>
    /// As <see cref="TrySeal"/>, but leaves the header in the clear: <see cref="MaskSealed"/> has to follow, once for many packets.
    /// </summary>
    bool TrySealBare(Span<byte> datagram, int payloadLength, ConnectionId destination, PathId path, ulong packetNumber, TimeSpan now, out int length);

    /// <summary>Masks the headers of packets that <see cref="TrySealBare"/> wrote one behind the other.</summary>
    /// <param name="packets">Each is <paramref name="packetBytes"/> long; the last may be shorter.</param>
    void MaskSealed(Span<byte> packets, int packetBytes);

    /// <summary>
    /// The first half of <see cref="Open"/>, for many packets that arrived one behind the other; <see cref="OpenBare"/> follows for each. Pieces that are too short for a packet
    /// stay as they are.
    /// </summary>
    void UnmaskArrived(Span<byte> packets, int packetBytes);

    /// <summary>The second half of <see cref="Open"/>, after <see cref="UnmaskArrived"/>.</summary>
    OpenStatus OpenBare(Span<byte> datagram, PathId path, TimeSpan now, out OpenedPacket packet);

    /// <summary>
    /// Opens a packet in place. <paramref name="datagram"/> is scratch afterwards unless the status is <see cref="OpenStatus.Opened"/>. Never throws for bytes.
    /// A packet number is accepted once.
    /// </summary>
    OpenStatus Open(Span<byte> datagram, PathId path, TimeSpan now, out OpenedPacket packet);

    /// <summary>
    /// Writes a rekey message that is due, at most <see cref="RekeyMessage.Size"/> bytes. The connection delivers it reliably, in a frame;
    /// loss, repetition and reordering do no harm. Ask after every <see cref="HandleRekey"/> and at <see cref="NextWakeUp"/>.
    /// </summary>
    bool TryWriteRekey(Span<byte> message, TimeSpan now, out int length);

    /// <summary>Takes a rekey message from the other side. False when it is not one: the connection is closed as a protocol violation.</summary>
    bool HandleRekey(ReadOnlySpan<byte> message, TimeSpan now);

    /// <summary>When <see cref="TryWriteRekey"/> should be asked again or <see cref="IsExpired"/> turns true.</summary>
    TimeSpan NextWakeUp { get; }

    /// <summary>True when no packet can be sealed any more: renewal failed for too long. Close without a word and connect anew.</summary>
    bool IsExpired(TimeSpan now);
}

/// <param name="PayloadOffset">Where in the datagram the plaintext lies.</param>
public readonly record struct OpenedPacket(ulong PacketNumber, int PayloadOffset, int PayloadLength);

public enum OpenStatus : byte
{
    Opened = 0,

    /// <summary>Too short, or not a packet.</summary>
    Malformed,

    /// <summary>A key epoch that is not there yet, or is there no more.</summary>
    UnknownEpoch,

    /// <summary>Seen before, or too far behind the newest to know.</summary>
    Replayed,

    /// <summary>Forged or damaged.</summary>
    NotAuthentic,
}
