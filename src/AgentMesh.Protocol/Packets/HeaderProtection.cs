using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// The mask over the low bits of the first byte and the packet number (RFC 9001, section 5.4): AES-256-ECB or ChaCha20 over 16 bytes of ciphertext.
/// One key per direction for the whole session. Not thread-safe.
/// </summary>
internal abstract class HeaderProtection : IDisposable
{
    public const int KeyBytes = 32;
    public const int SampleBytes = 16;
    public const int MaskBytes = 5;

    public static HeaderProtection Create(CipherSuite suite, ReadOnlySpan<byte> key) => suite switch
    {
        CipherSuite.Aes256Gcm => new AesMask(key),
        CipherSuite.ChaCha20Poly1305 => new ChaChaMask(key),
        _ => throw new InvariantException($"no cipher suite {suite}"),
    };

    /// <summary>Masks or unmasks the header of <paramref name="packet"/>; the two are the same operation.</summary>
    public void Apply(Span<byte> packet)
    {
        Span<byte> mask = stackalloc byte[MaskBytes];
        Mask(packet.Slice(PacketLayout.HeaderBytes, SampleBytes), mask);
        Xor(packet, mask);
    }

    /// <summary>
    /// The same for packets that lie one behind the other, each <paramref name="packetBytes"/> long but the last, which may be shorter. Pieces that are too short for a packet
    /// stay as they are.
    /// </summary>
    public virtual void ApplyMany(Span<byte> packets, int packetBytes)
    {
        while (packets.Length >= PacketLayout.MinPacketBytes && packetBytes >= PacketLayout.MinPacketBytes)
        {
            Span<byte> packet = packets[..Math.Min(packetBytes, packets.Length)];
            Apply(packet);
            packets = packets[packet.Length..];
        }
    }

    public abstract void Dispose();

    internal abstract void Mask(ReadOnlySpan<byte> sample, Span<byte> mask);

    private static void Xor(Span<byte> packet, ReadOnlySpan<byte> mask)
    {
        packet[0] ^= (byte)(mask[0] & PacketLayout.FirstByteMask);
        Span<byte> number = packet.Slice(PacketLayout.PacketNumberOffset, PacketLayout.PacketNumberBytes);
        for (int i = 0; i < number.Length; i++)
        {
            number[i] ^= mask[i + 1];
        }
    }

    private sealed class AesMask : HeaderProtection
    {
        // A transform keeps the expanded key; the one-shot EncryptEcb would expand it for every packet.
        private readonly ICryptoTransform _block;

        // A call of the cipher costs as much as the masks of thirty packets.
        private const int PacketsAtOnce = 64;

        [ThreadStatic]
        private static byte[]? t_input;

        [ThreadStatic]
        private static byte[]? t_output;

        public AesMask(ReadOnlySpan<byte> key)
        {
            using Aes aes = Aes.Create();
            aes.Mode = CipherMode.ECB;
            aes.Padding = PaddingMode.None;
            aes.SetKey(key);
            _block = aes.CreateEncryptor();
        }

        public override void Dispose() => _block.Dispose();

        public override void ApplyMany(Span<byte> packets, int packetBytes)
        {
            byte[] input = t_input ??= new byte[PacketsAtOnce * SampleBytes], output = t_output ??= new byte[PacketsAtOnce * SampleBytes];
            while (packets.Length >= PacketLayout.MinPacketBytes && packetBytes >= PacketLayout.MinPacketBytes)
            {
                int count = 0, at = 0;
                for (; count < PacketsAtOnce && packets.Length - at >= PacketLayout.MinPacketBytes; count++, at += packetBytes)
                {
                    packets.Slice(at + PacketLayout.HeaderBytes, SampleBytes).CopyTo(input.AsSpan(count * SampleBytes));
                }

                _block.TransformBlock(input, 0, count * SampleBytes, output, 0);
                for (int i = 0; i < count; i++)
                {
                    Xor(packets[(i * packetBytes)..], output.AsSpan(i * SampleBytes, MaskBytes));
                }

                packets = packets[Math.Min(at, packets.Length)..];
            }
        }

        internal override void Mask(ReadOnlySpan<byte> sample, Span<byte> mask)
        {
            byte[] input = t_input ??= new byte[PacketsAtOnce * SampleBytes], output = t_output ??= new byte[PacketsAtOnce * SampleBytes];
            sample.CopyTo(input);
            _block.TransformBlock(input, 0, SampleBytes, output, 0);
            output.AsSpan(0, MaskBytes).CopyTo(mask);
        }
    }

    private sealed class ChaChaMask : HeaderProtection
    {
        private readonly byte[] _key;

        public ChaChaMask(ReadOnlySpan<byte> key)
        {
            Sodium.Require();
            _key = key.ToArray();
        }

        public override void Dispose() => CryptographicOperations.ZeroMemory(_key);

        internal override void Mask(ReadOnlySpan<byte> sample, Span<byte> mask)
        {
            uint counter = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(sample);
            ReadOnlySpan<byte> zeros = [0, 0, 0, 0, 0];
            int result = Sodium.crypto_stream_chacha20_ietf_xor_ic(mask, zeros, MaskBytes, sample[4..], counter, _key);
            Invariant.Check(result == 0);
        }
    }
}
