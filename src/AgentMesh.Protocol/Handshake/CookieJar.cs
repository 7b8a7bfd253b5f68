using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// Cookies prove that an initiator receives at its address, and cost the responder no memory: a MAC of the address under a secret that changes every two minutes.
/// </summary>
internal sealed class CookieJar(IEntropy entropy)
{
    private static readonly TimeSpan Rotation = TimeSpan.FromSeconds(120);

    private readonly byte[] _current = new byte[32];
    private readonly byte[] _previous = new byte[32];
    private TimeSpan? _rotatedAt;

    public void Write(IPEndPoint address, TimeSpan now, Span<byte> cookie)
    {
        Rotate(now);
        Make(_current, address, cookie);
    }

    /// <summary>Checks the second MAC of an initiation that came from <paramref name="address"/>; the secret before the current one still counts.</summary>
    public bool HasValidCookie(ReadOnlySpan<byte> initiation, IPEndPoint address, TimeSpan now)
    {
        Rotate(now);
        if (!initiation[InitiationMessage.Mac2Offset..].ContainsAnyExcept((byte)0))
        {
            return false; // sent without a cookie, as most of a flood is: four hashes saved
        }

        return Matches(_current, initiation, address) || Matches(_previous, initiation, address);
    }

    private static bool Matches(byte[] secret, ReadOnlySpan<byte> initiation, IPEndPoint address)
    {
        Span<byte> cookie = stackalloc byte[CookieReplyMessage.CookieBytes];
        Make(secret, address, cookie);
        return HandshakeMacs.IsValid(cookie, initiation[..InitiationMessage.Mac2Offset], initiation[InitiationMessage.Mac2Offset..]);
    }

    private static void Make(byte[] secret, IPEndPoint address, Span<byte> cookie)
    {
        Span<byte> text = stackalloc byte[18];
        (address.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address.Address.MapToIPv6() : address.Address).TryWriteBytes(text, out _);
        BinaryPrimitives.WriteUInt16BigEndian(text[16..], (ushort)address.Port);
        HandshakeMacs.Write(secret, text, cookie);
    }

    private void Rotate(TimeSpan now)
    {
        if (_rotatedAt is null)
        {
            entropy.Fill(_previous); // random, so that nothing matches it
        }
        else if (now - _rotatedAt.Value < Rotation)
        {
            return;
        }
        else
        {
            _current.CopyTo(_previous, 0);
        }

        entropy.Fill(_current);
        _rotatedAt = now;
    }
}
