using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Tests.Discovery;

/// <summary>The golden bytes of <c>docs/protocol/lan-v1-vectors.json</c>.</summary>
public sealed class LanVectorTests
{
    private static readonly JsonArray File = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "lan-v1-vectors.json")))!["announcements"]!.AsArray();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Announcement_has_the_bytes_of_the_vector(int index)
    {
        JsonNode given = File[index]!["given"]!, expected = File[index]!["expected"]!;
        DeviceIdentity identity = DeviceIdentity.FromSeed(Convert.FromHexString((string)given["seed"]!));
        IPAddress source = IPAddress.Parse((string)given["source"]!);
        DateTimeOffset wall = DateTimeOffset.UnixEpoch.AddTicks((long)given["stamp"]!);

        byte[] datagram = new LanAnnouncer(identity).Announce(source, (ushort)given["port"]!, (bool)given["answerWanted"]!, wall);

        Assert.Equal((string)expected["publicKey"]!, Convert.ToHexStringLower(identity.PublicKey.Span));
        Assert.True(LanAnnouncement.TryRead(datagram, out LanAnnouncement read));
        Assert.Equal((ulong)expected["epoch"]!, read.Epoch);
        Assert.Equal((string)expected["tag"]!, read.Tag.ToString("x32", CultureInfo.InvariantCulture));
        Assert.Equal((string)expected["datagram"]!, Convert.ToHexStringLower(datagram));
    }
}
