using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Beacon.Core;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Beacon.Tests;

/// <summary>Envelopes, channel ids and the addresses that stand for them.</summary>
public sealed class EnvelopeTests
{
    private static readonly JsonNode Vectors = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "beacon-v1-vectors.json")))!;

    [Fact]
    public void Envelopes_have_the_bytes_of_the_vectors()
    {
        JsonNode relayed = Vectors["envelopes"]![0]!, notice = Vectors["envelopes"]![1]!;
        byte[] bytes = new byte[64];
        int length = RelayEnvelope.Write(bytes, Number(relayed["given"]!["channel"]!), Convert.FromHexString((string)relayed["given"]!["datagram"]!));
        Assert.Equal((string)relayed["bytes"]!, Convert.ToHexStringLower(bytes.AsSpan(0, length)));
        Assert.True(RelayEnvelope.TryRead(bytes.AsSpan(0, length), out ulong channel));
        Assert.Equal(0xa1b2c3d4e5f60718, channel);

        length = RelayEnvelope.WriteNotice(bytes, channel);
        Assert.Equal((string)notice["bytes"]!, Convert.ToHexStringLower(bytes.AsSpan(0, length)));
        Assert.True(RelayEnvelope.TryReadNotice(bytes.AsSpan(0, length), out ulong doubted));
        Assert.Equal(channel, doubted);
    }

    [Fact]
    public void Everything_shorter_and_everything_else_is_refused()
    {
        byte[] bytes = new byte[64];
        int length = RelayEnvelope.Write(bytes, 1, "x"u8);
        for (int cut = 0; cut < length; cut++)
        {
            Assert.False(RelayEnvelope.TryRead(bytes.AsSpan(0, cut), out _));
            Assert.False(RelayEnvelope.TryReadNotice(bytes.AsSpan(0, cut), out _));
        }

        for (int kind = 0; kind < 256; kind++)
        {
            bytes[0] = (byte)kind;
            Assert.Equal(kind == 0x84, RelayEnvelope.TryRead(bytes.AsSpan(0, length), out _));
            Assert.Equal(kind == 0x85, RelayEnvelope.TryReadNotice(bytes.AsSpan(0, RelayEnvelope.NoticeBytes), out _));
        }
    }

    [Fact]
    public void Channel_ids_have_the_bytes_of_the_vectors()
    {
        foreach (JsonNode? vector in Vectors["channelIds"]!.AsArray())
        {
            byte[] random = Convert.FromHexString((string)vector!["given"]!["random"]!);
            var ids = new ChannelIds(Convert.FromHexString((string)vector["given"]!["key"]!), new FixedEntropy(random));
            ulong id = ids.Next();
            Assert.Equal((string)vector["expected"]!["channel"]!, id.ToString("x16", CultureInfo.InvariantCulture));
            Assert.True(ids.IsOurs(id));
        }
    }

    [Fact]
    public void A_beacon_knows_its_ids_and_those_of_nobody_else()
    {
        ChannelIds ours = new([1], new SeededEntropy(1)), theirs = new([2], new SeededEntropy(1));
        ulong id = ours.Next();
        Assert.True(ours.IsOurs(id));
        Assert.False(theirs.IsOurs(id));
        for (int bit = 0; bit < 64; bit++)
        {
            Assert.False(ours.IsOurs(id ^ (1UL << bit)));
        }
    }

    [Fact]
    public void A_channel_is_an_address_and_no_other_address_is_one()
    {
        IPEndPoint address = RelayAddress.Of(0xa1b2c3d4e5f60718);
        Assert.True(RelayAddress.IsRelay(address));
        Assert.True(RelayAddress.TryRead(address.Serialize(), out ulong channel));
        Assert.Equal(0xa1b2c3d4e5f60718, channel);
        foreach (string other in new[] { "192.0.2.1:1", "[2001:db8::1]:1", "[100:0:0:2::1]:1", "[::1]:1", "[::ffff:1.0.0.0]:1" })
        {
            Assert.False(RelayAddress.IsRelay(IPEndPoint.Parse(other)));
            Assert.False(RelayAddress.TryRead(IPEndPoint.Parse(other).Serialize(), out _));
        }
    }

    [Fact]
    public void A_tunnel_is_an_address_beside_those_of_channels()
    {
        IPEndPoint tunnel = TunnelAddress.Of(7), channel = RelayAddress.Of(7);
        Assert.NotEqual(tunnel, channel);
        Assert.True(RelayAddress.IsRelay(tunnel) && TunnelAddress.IsTunnel(tunnel) && !RelayAddress.IsChannel(tunnel));
        Assert.True(RelayAddress.IsChannel(channel) && !TunnelAddress.IsTunnel(channel));
        Assert.True(TunnelAddress.TryRead(tunnel.Serialize(), out ulong number));
        Assert.Equal(7UL, number);
        Assert.False(TunnelAddress.TryRead(channel.Serialize(), out _) || RelayAddress.TryRead(tunnel.Serialize(), out _));
    }

    private static ulong Number(JsonNode node) => ulong.Parse((string)node!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed class FixedEntropy(byte[] bytes) : IEntropy
    {
        public void Fill(Span<byte> destination) => bytes.CopyTo(destination);
    }
}
