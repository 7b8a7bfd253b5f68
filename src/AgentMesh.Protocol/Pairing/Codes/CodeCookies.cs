using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>
/// Cookies prove that a joiner receives at its address and asked before, and cost no memory: a MAC of address, nameplate and nonce under a secret that changes every two minutes.
/// Not thread-safe.
/// </summary>
internal sealed class CodeCookies(IEntropy entropy)
{
    private const int AddressBytes = 16;
    private const int MaterialBytes = AddressBytes + 2 + 2 + 16;
    private static readonly TimeSpan Rotation = TimeSpan.FromSeconds(120);

    private byte[] _current = Next(entropy);
    private byte[] _previous = Next(entropy); // random, so that nothing matches it
    private TimeSpan? _rotatedAt;

    public UInt128 Make(IPEndPoint joiner, ushort nameplate, UInt128 nonce, TimeSpan now)
    {
        Rotate(now);
        return Make(_current, joiner, nameplate, nonce);
    }

    // Comparing takes no constant time, and need not: a cookie is used once with a nonce that the joiner chose, and proves an address, not a secret.
    public bool IsValid(UInt128 cookie, IPEndPoint joiner, ushort nameplate, UInt128 nonce, TimeSpan now)
    {
        Rotate(now);
        return cookie == Make(_current, joiner, nameplate, nonce) || cookie == Make(_previous, joiner, nameplate, nonce);
    }

    private static UInt128 Make(byte[] secret, IPEndPoint joiner, ushort nameplate, UInt128 nonce)
    {
        Span<byte> material = stackalloc byte[MaterialBytes];
        joiner.Address.MapToIPv6().TryWriteBytes(material, out _);
        BinaryPrimitives.WriteUInt16BigEndian(material[AddressBytes..], (ushort)joiner.Port);
        BinaryPrimitives.WriteUInt16BigEndian(material[(AddressBytes + 2)..], nameplate);
        BinaryPrimitives.WriteUInt128BigEndian(material[(AddressBytes + 4)..], nonce);
        Span<byte> mac = stackalloc byte[HandshakeMacs.MacBytes];
        HandshakeMacs.Write(secret, material, mac);
        return BinaryPrimitives.ReadUInt128BigEndian(mac);
    }

    private static byte[] Next(IEntropy entropy)
    {
        byte[] secret = new byte[32];
        entropy.Fill(secret);
        return secret;
    }

    private void Rotate(TimeSpan now)
    {
        _rotatedAt ??= now;
        if (now - _rotatedAt >= Rotation)
        {
            _previous = now - _rotatedAt < 2 * Rotation ? _current : Next(entropy);
            _current = Next(entropy);
            _rotatedAt = now;
        }
    }
}
