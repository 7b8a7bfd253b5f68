using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>1 byte kind, 4 bytes the epoch to be made (big-endian), 32 bytes X25519 ephemeral public key. Travels inside protected packets.</summary>
public readonly ref struct RekeyMessage(RekeyMessage.KindOf kind, uint epoch, ReadOnlySpan<byte> ephemeral)
{
    public const int Size = 1 + 4 + X25519.KeyBytes;

    public enum KindOf : byte
    {
        Request = 1,
        Answer = 2,
    }

    public KindOf Kind { get; } = kind;

    public uint Epoch { get; } = epoch;

    public ReadOnlySpan<byte> Ephemeral { get; } = ephemeral;

    public static bool TryRead(ReadOnlySpan<byte> source, out RekeyMessage message)
    {
        message = default;
        if (source.Length != Size || source[0] is not ((byte)KindOf.Request or (byte)KindOf.Answer))
        {
            return false;
        }

        message = new RekeyMessage((KindOf)source[0], BinaryPrimitives.ReadUInt32BigEndian(source[1..]), source[5..]);
        return true;
    }

    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], Epoch);
        Ephemeral.CopyTo(destination[5..]);
    }
}
