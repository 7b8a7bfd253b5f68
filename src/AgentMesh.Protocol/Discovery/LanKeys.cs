using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery;

/// <summary>What the announcements of one device are recognised by. Derived from its public key: who does not know that learns nothing from a tag and cannot make a MAC.</summary>
internal sealed class LanKeys(DevicePublicKey device)
{
    private readonly byte[] _tagKey = Derive("agentmesh lan tag key"u8, device);
    private readonly byte[] _macKey = Derive("agentmesh lan mac key"u8, device);

    public DevicePublicKey Device { get; } = device;

    public UInt128 Tag(ulong epoch)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        Span<byte> tag = stackalloc byte[HandshakeMacs.MacBytes];
        BinaryPrimitives.WriteUInt64BigEndian(number, epoch);
        HandshakeMacs.Write(_tagKey, number, tag);
        return BinaryPrimitives.ReadUInt128BigEndian(tag);
    }

    /// <summary>Writes the last 16 bytes of an announcement whose other bytes stand.</summary>
    public void WriteMac(IPAddress source, Span<byte> datagram)
    {
        Span<byte> authenticated = stackalloc byte[LanAnnouncement.AddressBytes + LanAnnouncement.MacOffset];
        LanAnnouncement.WriteAuthenticated(source, datagram, authenticated);
        HandshakeMacs.Write(_macKey, authenticated, datagram[LanAnnouncement.MacOffset..]);
    }

    public bool HasMac(IPAddress source, ReadOnlySpan<byte> datagram)
    {
        Span<byte> authenticated = stackalloc byte[LanAnnouncement.AddressBytes + LanAnnouncement.MacOffset];
        LanAnnouncement.WriteAuthenticated(source, datagram, authenticated);
        return HandshakeMacs.IsValid(_macKey, authenticated, datagram[LanAnnouncement.MacOffset..]);
    }

    private static byte[] Derive(ReadOnlySpan<byte> label, DevicePublicKey device)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(label);
        hash.AppendData(device.Span);
        return hash.GetHashAndReset();
    }
}
