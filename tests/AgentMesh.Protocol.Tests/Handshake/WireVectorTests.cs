using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Tests.Handshake;

/// <summary>The golden bytes of <c>docs/protocol/wire-v1-vectors.json</c>.</summary>
public class WireVectorTests
{
    private static readonly JsonObject File =
        JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "wire-v1-vectors.json")))!.AsObject();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Session_has_the_bytes_of_the_vector(int index)
    {
        JsonObject vector = File["sessions"]![index]!.AsObject();
        JsonObject computed = WireVector.Compute(vector["given"]!.AsObject());
        foreach ((string name, JsonNode? expected) in vector["expected"]!.AsObject())
        {
            Assert.True((string)computed[name]! == (string)expected!, $"{name}: {computed[name]}");
        }
    }

    [Fact]
    public void Link_has_the_text_of_the_vector()
    {
        JsonObject vector = File["invitation"]!.AsObject();
        var invitation = new Invitation
        {
            Key = new DevicePublicKey(Convert.FromHexString((string)vector["key"]!)),
            Secret = new InvitationSecret(Convert.FromHexString((string)vector["secret"]!)),
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds((long)vector["expiry"]!),
            InviterName = (string)vector["name"]!,
            Addresses = [.. vector["addresses"]!.AsArray().Select(a => IPEndPoint.Parse((string)a!))],
        };
        Assert.Equal((string)vector["link"]!, invitation.ToLink());
        Assert.Equal((string)vector["id"]!, invitation.Secret.Id.ToString());
        Assert.Equal(invitation.Key, Invitation.Parse((string)vector["link"]!, DateTimeOffset.UnixEpoch).Key);
    }
}
