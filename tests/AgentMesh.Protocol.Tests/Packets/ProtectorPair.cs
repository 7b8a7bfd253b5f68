using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Packets;

/// <summary>Both ends of a session with counters for packet numbers, and a clock.</summary>
internal sealed class ProtectorPair
{
    private readonly Dictionary<PacketProtector, ulong> _numbers = [];

    public ProtectorPair(CipherSuite suite = CipherSuite.Aes256Gcm, RekeySettings? settings = null)
    {
        Initiator = Create(suite, true, settings ?? new RekeySettings());
        Responder = Create(suite, false, settings ?? new RekeySettings());
    }

    public PacketProtector Initiator { get; }

    public PacketProtector Responder { get; }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(1000);

    public static ConnectionId Destination { get; } = new(0x0102030405060708);

    public byte[] Seal(PacketProtector from, ReadOnlySpan<byte> payload, PathId path = default)
    {
        byte[] packet = new byte[payload.Length + PacketLayout.Overhead];
        payload.CopyTo(packet.AsSpan(PacketLayout.HeaderBytes));
        ulong number = _numbers.GetValueOrDefault(from);
        _numbers[from] = number + 1;
        Assert.True(from.TrySeal(packet, payload.Length, Destination, path, number, Now, out int length));
        Assert.Equal(packet.Length, length);
        return packet;
    }

    public OpenStatus Open(PacketProtector at, byte[] packet, PathId path = default) => at.Open((byte[])packet.Clone(), path, Now, out _);

    /// <summary>One packet in each direction, opened.</summary>
    public void Exchange()
    {
        Assert.Equal(OpenStatus.Opened, Open(Responder, Seal(Initiator, "ping"u8)));
        Assert.Equal(OpenStatus.Opened, Open(Initiator, Seal(Responder, "pong"u8)));
    }

    public byte[]? RekeyMessageOf(PacketProtector from)
    {
        byte[] message = new byte[RekeyMessage.Size];
        return from.TryWriteRekey(message, Now, out int length) ? message[..length] : null;
    }

    /// <summary>A whole renewal asked for by <paramref name="from"/>; the keys must be due.</summary>
    public void Renew(PacketProtector from, PacketProtector to)
    {
        Assert.True(to.HandleRekey(RekeyMessageOf(from)!, Now));
        Assert.True(from.HandleRekey(RekeyMessageOf(to)!, Now));
        Assert.Equal(OpenStatus.Opened, Open(to, Seal(from, "with the new keys"u8)));
    }

    private PacketProtector Create(CipherSuite suite, bool isInitiator, RekeySettings settings)
    {
        byte[] hash = new byte[32], key1 = new byte[32], key2 = new byte[32];
        var entropy = new SeededEntropy(42);
        entropy.Fill(hash);
        entropy.Fill(key1);
        entropy.Fill(key2);
        return new PacketProtector(KeyChain.FromHandshake(hash, key1, key2), suite, isInitiator, settings, new SeededEntropy(isInitiator ? 1 : 2), Now);
    }
}
