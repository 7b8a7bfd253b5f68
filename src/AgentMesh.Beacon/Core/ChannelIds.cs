using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Core;

/// <summary>
/// Makes channel ids that nobody can guess and that this beacon recognises as its own after a restart, so that it can say to a device, and to nobody else, that it forgot.
/// <code>4 random | first 4 of HMAC-SHA-256(key, the 4 random)</code>
/// </summary>
internal sealed class ChannelIds(byte[] key, IEntropy entropy)
{
    private const int Half = sizeof(uint);

    /// <summary>The key follows from the identity, so it outlives the process without a file of its own.</summary>
    public static ChannelIds Of(DeviceIdentity identity, IEntropy entropy) => new(SHA256.HashData(identity.Sign("agentmesh beacon channel key 1"u8)), entropy);

    public ulong Next()
    {
        Span<byte> random = stackalloc byte[Half];
        entropy.Fill(random);
        return ((ulong)BinaryPrimitives.ReadUInt32BigEndian(random) << 32) | Tag(random);
    }

    /// <summary>What a device shows to the observer.</summary>
    public UInt128 NextTicket()
    {
        Span<byte> random = stackalloc byte[2 * sizeof(ulong)];
        entropy.Fill(random);
        return BinaryPrimitives.ReadUInt128BigEndian(random);
    }

    public bool IsOurs(ulong id)
    {
        Span<byte> random = stackalloc byte[Half];
        BinaryPrimitives.WriteUInt32BigEndian(random, (uint)(id >> 32));
        return Tag(random) == (uint)id;
    }

    private uint Tag(ReadOnlySpan<byte> random)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, random, mac);
        return BinaryPrimitives.ReadUInt32BigEndian(mac);
    }
}
