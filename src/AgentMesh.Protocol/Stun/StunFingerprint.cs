using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun;

/// <summary>The FINGERPRINT attribute: CRC-32 of what stands before it, xor 0x5354554e (RFC 8489, section 14.7).</summary>
internal static class StunFingerprint
{
    public const int AttributeBytes = 8;

    private const uint Xor = 0x5354554E;
    private static readonly uint[] Table = MakeTable();

    /// <param name="message">Whole, with the attribute at its end.</param>
    public static bool IsRight(ReadOnlySpan<byte> message) => message.Length >= StunMessage.HeaderBytes + AttributeBytes && BinaryPrimitives.ReadUInt32BigEndian(message[^4..]) == Of(message[..^AttributeBytes]);

    /// <param name="before">The message up to the attribute; its length field counts the attribute already.</param>
    public static uint Of(ReadOnlySpan<byte> before)
    {
        uint crc = uint.MaxValue;
        foreach (byte each in before)
        {
            crc = Table[(byte)(crc ^ each)] ^ (crc >> 8);
        }

        return ~crc ^ Xor;
    }

    private static uint[] MakeTable()
    {
        // ITU-T V.42, reflected.
        const uint polynomial = 0xEDB88320;
        uint[] table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
