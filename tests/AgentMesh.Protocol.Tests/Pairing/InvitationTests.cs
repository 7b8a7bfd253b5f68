using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing;

public class InvitationTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Invitation _invitation = new()
    {
        Key = DeviceIdentity.Create(new SeededEntropy(1)).PublicKey,
        Secret = InvitationSecret.Next(new SeededEntropy(2)),
        ExpiresAt = Now + Invitation.DefaultLifetime,
        InviterName = "Émile's box & co",
        Addresses = [new IPEndPoint(IPAddress.Parse("192.168.1.7"), 7000), new IPEndPoint(IPAddress.Parse("2001:db8::1"), 7000)],
    };

    [Fact]
    public void Link_survives_a_round_trip()
    {
        Invitation read = Invitation.Parse($"  {_invitation.ToLink()}\n", Now);
        Assert.Equal(_invitation.Key, read.Key);
        Assert.Equal(_invitation.Secret, read.Secret);
        Assert.Equal(_invitation.ExpiresAt, read.ExpiresAt);
        Assert.Equal(_invitation.InviterName, read.InviterName);
        Assert.Equal(_invitation.Addresses, read.Addresses);
    }

    [Fact]
    public void Link_tells_of_beacons()
    {
        string[] beacons = ["[2001:db8::1]:14592#A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg", "beacon.example:1#x"];
        string link = (_invitation with { Beacons = beacons }).ToLink();
        Assert.Matches("^agentmesh://pair\\?[A-Za-z0-9%._~:=&\\[\\]-]+$", link);
        Assert.Equal(beacons, Invitation.Parse(link, Now).Beacons);
        Assert.Empty(Invitation.Parse(_invitation.ToLink(), Now).Beacons);
    }

    [Fact]
    public void Link_is_made_of_characters_that_survive_a_chat() =>
        Assert.Matches("^agentmesh://pair\\?[A-Za-z0-9%._~:=&\\[\\]-]+$", _invitation.ToLink());

    [Fact]
    public void Link_cut_anywhere_is_damaged()
    {
        string link = _invitation.ToLink();
        for (int length = 0; length < link.Length; length++)
        {
            Assert.Equal(ProtocolErrors.InvitationDamaged, CodeOf(link[..length]));
        }
    }

    [Fact]
    public void Link_with_one_changed_character_is_damaged()
    {
        string link = _invitation.ToLink();
        for (int i = 0; i < link.Length; i++)
        {
            foreach (char c in "aZ0&=%\u001b")
            {
                if (link[i] != c)
                {
                    string changed = link[..i] + c + link[(i + 1)..];
                    Assert.True(string.Equals(changed, link, StringComparison.OrdinalIgnoreCase) || CodeOf(changed) == ProtocolErrors.InvitationDamaged, changed);
                }
            }
        }
    }

    [Fact]
    public void Link_is_refused_from_its_expiry_on()
    {
        string link = _invitation.ToLink();
        Invitation.Parse(link, _invitation.ExpiresAt.AddSeconds(-1));
        MeshException e = Assert.Throws<MeshException>(() => Invitation.Parse(link, _invitation.ExpiresAt));
        Assert.Equal(ProtocolErrors.InvitationExpired, e.Code);
    }

    [Theory]
    [InlineData("v=2&k=x", "version 2")]
    [InlineData("v=1&k=x", "its end is missing")]
    [InlineData("v=1&v=1", "'v' is there 2 times")]
    [InlineData("k=1", "'v' is missing")]
    [InlineData("v", "'v' is no parameter")]
    public void Damage_is_named(string query, string expected) =>
        Assert.Contains(expected, Assert.Throws<MeshException>(() => Invitation.Parse("agentmesh://pair?" + query, Now)).Message, StringComparison.Ordinal);

    [Fact]
    public void Name_with_terminal_commands_is_refused() =>
        Assert.Equal(ProtocolErrors.InvitationDamaged, CodeOf((_invitation with { InviterName = "x\u001b[2Jy" }).ToLink()));

    [Fact]
    public void Secret_does_not_show_in_texts()
    {
        Assert.DoesNotContain(_invitation.Secret.Encode(), _invitation.ToString(), StringComparison.Ordinal);
        Assert.Equal("(secret)", _invitation.Secret.ToString());
    }

    [Fact]
    public void Book_gives_a_secret_away_once()
    {
        var book = new InvitationBook();
        InvitationSecret secret = book.Create(Now, Invitation.DefaultLifetime, new SeededEntropy(3));
        DevicePublicKey first = DeviceIdentity.Create(new SeededEntropy(4)).PublicKey, second = DeviceIdentity.Create(new SeededEntropy(5)).PublicKey;

        Assert.Equal(new InvitationLookup(InvitationStatus.Open, secret), book.Find(secret.Id, Now));
        Assert.True(book.TryTake(secret.Id, first, Now));
        Assert.False(book.TryTake(secret.Id, second, Now));
        Assert.False(book.TryTake(secret.Id, first, Now));
        Assert.Equal(InvitationStatus.Used, book.Find(secret.Id, Now).Status);
        Assert.Equal(first, book.Records.Single().UsedBy);
    }

    [Fact]
    public void Book_refuses_expired_and_unknown_secrets()
    {
        var book = new InvitationBook();
        InvitationSecret secret = book.Create(Now, Invitation.DefaultLifetime, new SeededEntropy(3));
        DateTimeOffset late = Now + Invitation.DefaultLifetime;
        Assert.False(book.TryTake(secret.Id, _invitation.Key, late));
        Assert.Equal(InvitationStatus.Expired, book.Find(secret.Id, late).Status);
        Assert.Equal(InvitationStatus.Unknown, book.Find(_invitation.Secret.Id, Now).Status);
    }

    [Fact]
    public void Book_goes_on_after_a_restart()
    {
        var book = new InvitationBook();
        var entropy = new SeededEntropy(3);
        InvitationSecret used = book.Create(Now, Invitation.DefaultLifetime, entropy), open = book.Create(Now, Invitation.DefaultLifetime, entropy);
        Assert.True(book.TryTake(used.Id, _invitation.Key, Now));
        var restarted = new InvitationBook(book.Records);
        Assert.Equal(InvitationStatus.Used, restarted.Find(used.Id, Now).Status);
        Assert.True(restarted.TryTake(open.Id, _invitation.Key, Now));
    }

    [Fact]
    public void Book_is_bounded()
    {
        var book = new InvitationBook();
        var entropy = new SeededEntropy(3);
        for (int i = 0; i < InvitationBook.OpenMax; i++)
        {
            book.Create(Now, Invitation.DefaultLifetime, entropy);
        }

        Assert.Equal(ProtocolErrors.TooManyInvitations, Assert.Throws<MeshException>(() => book.Create(Now, Invitation.DefaultLifetime, entropy)).Code);
        for (int hour = 1; hour <= 300; hour++)
        {
            book.Create(Now.AddHours(hour), Invitation.DefaultLifetime, entropy);
        }

        Assert.Equal(InvitationBook.RememberedMax, book.Records.Count);
        Assert.Equal(Now.AddHours(300) + Invitation.DefaultLifetime, book.Records.Max(r => r.ExpiresAt));
    }

    private static string CodeOf(string link) => Assert.Throws<MeshException>(() => Invitation.Parse(link, Now)).Code;
}
