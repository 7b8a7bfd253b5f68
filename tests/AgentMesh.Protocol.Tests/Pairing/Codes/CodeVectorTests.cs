using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

/// <summary>The golden bytes of <c>docs/protocol/pairing-v1-vectors.json</c>, which another program made.</summary>
public sealed class CodeVectorTests
{
    private static readonly JsonNode Vector = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "pairing-v1-vectors.json")))!;
    private static readonly MeshInstant Now = new(TimeSpan.FromSeconds(1), new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void An_exchange_has_the_bytes_of_the_vector()
    {
        DeviceIdentity inviting = DeviceIdentity.FromSeed(Hex("inviterSeed")), joining = DeviceIdentity.FromSeed(Hex("joinerSeed"));
        var book = new InvitationBook();
        InvitationSecret link = book.Create(Now.Wall, TimeSpan.FromMinutes(10), new SeededEntropy(1));
        var inviter = new CodeInviter(
            inviting, (string)Vector["inviterName"]!, book, new ScriptedEntropy(Hex("cookieSecret"), new byte[32], Hex("codeEntropy"), Hex("inviterScalarEntropy")));
        PairingCode code = inviter.Offer(link.Id);
        Assert.Equal((string)Vector["code"]!, code.ToString());
        Assert.Equal((int)Vector["nameplate"]!, code.Nameplate);
        IPEndPoint at = IPEndPoint.Parse((string)Vector["joinerAddress"]!), there = IPEndPoint.Parse("192.0.2.1:14590");
        using var joiner = new CodeJoiner(code, joining.PublicKey, null, new ScriptedEntropy(Hex("nonce"), Hex("joinerScalarEntropy")), Now);

        Is("question", joiner.Question(14590));
        byte[] here = Answer(inviter, joiner.Question(14590), at, "here");
        joiner.Handle(here, there, Now);
        byte[] share = Answer(inviter, Sent(joiner, "start"), at, "share");
        joiner.Handle(share, there, Now);
        byte[] welcome = Answer(inviter, Sent(joiner, "proof"), at, "welcome");
        joiner.Handle(welcome, there, Now);

        Invitation found = joiner.Result!.Invitation!;
        Assert.Equal((string)Vector["invitationSecret"]!, Convert.ToHexStringLower(found.Secret.Span));
        Assert.Equal(inviting.PublicKey, found.Key);
        Assert.Equal((string)Vector["inviterName"]!, found.InviterName);
        Assert.Equal([there], found.Addresses);
        Assert.Equal(found.Secret, book.Find(found.Secret.Id, Now.Wall).Secret);
    }

    private static byte[] Answer(CodeInviter inviter, byte[] datagram, IPEndPoint from, string name)
    {
        inviter.Handle(datagram, from, Now, out byte[] answer);
        Is(name, answer);
        return answer;
    }

    private static byte[] Sent(CodeJoiner joiner, string name)
    {
        byte[] last = [];
        while (joiner.TryTransmit(out CodeTransmit transmit))
        {
            last = transmit.Bytes;
        }

        Is(name, last);
        return last;
    }

    private static void Is(string name, byte[] bytes) => Assert.Equal((string)Vector[name]!, Convert.ToHexStringLower(bytes));

    private static byte[] Hex(string name) => Convert.FromHexString((string)Vector[name]!);
}
