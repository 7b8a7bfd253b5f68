using System.Security.Cryptography;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Packets;

/// <summary>
/// The packets and cookie replies of <c>docs/protocol/wire-v1-vectors.json</c>, step by step. The values come from an implementation in another language that was written from
/// <c>wire-v1.md</c>; what the document shows are the same bytes.
/// </summary>
public class PacketVectorTests
{
    private static readonly JsonObject File = JsonNode.Parse(Text("wire-v1-vectors.json"))!.AsObject();
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Packet_is_sealed_and_opened_as_the_vector_says(int index)
    {
        JsonObject vector = File["packets"]![index]!.AsObject();
        byte[] payload = Bytes(vector, "payload"), expected = Bytes(vector, "packet"), packet = new byte[payload.Length + PacketLayout.Overhead];
        payload.CopyTo(packet, PacketLayout.HeaderBytes);
        using PacketProtector initiator = Protector(vector, isInitiator: true), responder = Protector(vector, isInitiator: false);
        Assert.True(initiator.TrySeal(packet, payload.Length, ConnectionId.Read(Bytes(vector, "connectionId")), default, Number(vector), Now, out _));
        Assert.Equal(Hex(expected), Hex(packet));

        // Four bytes of the number travel: the responder has to have seen one nearby to know the rest.
        byte[] before = new byte[PacketLayout.Overhead];
        using PacketProtector earlier = Protector(vector, isInitiator: true);
        Assert.True(earlier.TrySeal(before, 0, new ConnectionId(1), default, uint.MaxValue / 2, Now, out _));
        Assert.Equal(OpenStatus.Opened, responder.Open(before, default, Now, out _));
        before = new byte[PacketLayout.Overhead];
        Assert.True(earlier.TrySeal(before, 0, new ConnectionId(1), default, uint.MaxValue, Now, out _));
        Assert.Equal(OpenStatus.Opened, responder.Open(before, default, Now, out _));
        Assert.Equal(OpenStatus.Opened, responder.Open(packet, default, Now, out OpenedPacket opened));
        Assert.Equal(Number(vector), opened.PacketNumber);
        Assert.Equal(Hex(payload), Hex(packet.AsSpan(opened.PayloadOffset, opened.PayloadLength)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Every_step_to_a_packet_is_as_the_document_says(int index)
    {
        JsonObject vector = File["packets"]![index]!.AsObject();
        byte[] chain = HKDF.Extract(HashAlgorithmName.SHA256, [.. Bytes(vector, "splitInitiator"), .. Bytes(vector, "splitResponder")], Bytes(vector, "handshakeHash"));
        Assert.Equal((string)vector["chain"]!, Hex(chain));
        Assert.Equal((string)vector["key"]!, Hex(Expand(chain, "agentmesh key i2r"u8, 32)));
        Assert.Equal((string)vector["iv"]!, Hex(Expand(chain, "agentmesh iv i2r"u8, 12)));
        Assert.Equal((string)vector["headerKey"]!, Hex(Expand(chain, "agentmesh hp i2r"u8, 32)));

        UInt128 iv = Big(Bytes(vector, "iv")), number = Number(vector);
        Assert.Equal(Big(Bytes(vector, "nonce")), iv ^ number);
        byte[] sealedBytes = new byte[Bytes(vector, "payload").Length + Aead.TagBytes];
        using (Aead aead = Aead.Create(Suite(vector), Bytes(vector, "key")))
        {
            aead.Encrypt(Bytes(vector, "nonce"), Bytes(vector, "payload"), sealedBytes.AsSpan(..^Aead.TagBytes), sealedBytes.AsSpan(^Aead.TagBytes..), Bytes(vector, "header"));
        }

        Assert.Equal((string)vector["sample"]!, Hex(sealedBytes.AsSpan(0, HeaderProtection.SampleBytes)));
        byte[] mask = new byte[HeaderProtection.MaskBytes];
        using HeaderProtection protection = HeaderProtection.Create(Suite(vector), Bytes(vector, "headerKey"));
        protection.Mask(Bytes(vector, "sample"), mask);
        Assert.Equal((string)vector["mask"]!, Hex(mask));

        byte[] header = Bytes(vector, "header");
        header[0] ^= (byte)(mask[0] & 0x1f);
        for (int i = 0; i < 4; i++)
        {
            header[9 + i] ^= mask[1 + i];
        }

        Assert.Equal((string)vector["packet"]!, Hex([.. header, .. sealedBytes]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Cookie_reply_has_the_bytes_of_the_vector(int index)
    {
        JsonObject vector = File["cookieReplies"]![index]!.AsObject();
        var macs = new HandshakeMacs(new DevicePublicKey(Bytes(vector, "responderKey")));
        byte[] reply = CookieReplyMessage.Write(macs, Suite(vector), ConnectionId.Read(Bytes(vector, "connectionId")), Bytes(vector, "mac1"), Bytes(vector, "cookie"), new FixedEntropy(Bytes(vector, "nonce")));
        Assert.Equal((string)vector["reply"]!, Hex(reply));
        byte[] cookie = new byte[CookieReplyMessage.CookieBytes];
        Assert.True(CookieReplyMessage.TryOpen(reply, macs, Suite(vector), Bytes(vector, "mac1"), cookie));
        Assert.Equal((string)vector["cookie"]!, Hex(cookie));
    }

    [Fact]
    public void Initiation_with_a_cookie_has_the_second_mac_of_the_vector()
    {
        JsonObject vector = File["cookieReplies"]![0]!.AsObject();
        byte[] mac = new byte[HandshakeMacs.MacBytes];
        HandshakeMacs.Write(Bytes(vector, "cookie"), Bytes(vector, "initiation").AsSpan(0, InitiationMessage.Mac2Offset), mac);
        Assert.Equal((string)vector["mac2"]!, Hex(mac));
    }

    [Fact]
    public void Specification_shows_the_bytes_of_the_vectors()
    {
        string text = Text("wire-v1.md").Replace(" ", "", StringComparison.Ordinal);
        foreach (JsonNode? vector in File["packets"]!.AsArray())
        {
            foreach ((string name, JsonNode? value) in vector!.AsObject().Where(field => field.Value!.GetValueKind() == System.Text.Json.JsonValueKind.String))
            {
                Assert.True(text.Contains((string)value!, StringComparison.Ordinal), $"{name} {value}");
            }
        }

        Assert.Contains((string)File["cookieReplies"]![0]!["reply"]!, text, StringComparison.Ordinal);
    }

    private static PacketProtector Protector(JsonObject vector, bool isInitiator) => new(
        KeyChain.FromHandshake(Bytes(vector, "handshakeHash"), Bytes(vector, "splitInitiator"), Bytes(vector, "splitResponder")), Suite(vector), isInitiator, new RekeySettings(), new SeededEntropy(1), Now);

    private static CipherSuite Suite(JsonObject vector) => (CipherSuite)(byte)vector["suite"]!;

    private static ulong Number(JsonObject vector) => (ulong)vector["packetNumber"]!;

    private static byte[] Bytes(JsonObject vector, string name) => Convert.FromHexString((string)vector[name]!);

    private static byte[] Expand(byte[] chain, ReadOnlySpan<byte> label, int length)
    {
        byte[] key = new byte[length];
        HKDF.Expand(HashAlgorithmName.SHA256, chain, key, label);
        return key;
    }

    private static UInt128 Big(ReadOnlySpan<byte> bytes)
    {
        UInt128 value = 0;
        foreach (byte b in bytes)
        {
            value = (value << 8) | b;
        }

        return value;
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    private static string Text(string file) => System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file));

    private sealed class FixedEntropy(byte[] bytes) : IEntropy
    {
        public void Fill(Span<byte> destination) => bytes.CopyTo(destination);
    }
}
