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
        packet[0] ^= (byte)(mask[0] & PacketLayout.FirstByteMask);
        Span<byte> number = packet.Slice(PacketLayout.PacketNumberOffset, PacketLayout.PacketNumberBytes);
        for (int i = 0; i < number.Length; i++)
        {
            number[i] ^= mask[i + 1];
        }
    }

    public abstract void Dispose();

    internal abstract void Mask(ReadOnlySpan<byte> sample, Span<byte> mask);

    private sealed class AesMask : HeaderProtection
    {
        // A transform keeps the expanded key; the one-shot EncryptEcb would expand it for every packet.
        private readonly ICryptoTransform _block;
        private readonly byte[] _input = new byte[SampleBytes];
        private readonly byte[] _output = new byte[SampleBytes];

        public AesMask(ReadOnlySpan<byte> key)
        {
            using Aes aes = Aes.Create();
            aes.Mode = CipherMode.ECB;
            aes.Padding = PaddingMode.None;
            aes.SetKey(key);
            _block = aes.CreateEncryptor();
        }

        public override void Dispose() => _block.Dispose();

        internal override void Mask(ReadOnlySpan<byte> sample, Span<byte> mask)
        {
            sample.CopyTo(_input);
            _block.TransformBlock(_input, 0, SampleBytes, _output, 0);
            _output.AsSpan(0, MaskBytes).CopyTo(mask);
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
