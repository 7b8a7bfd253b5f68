using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using AgentMesh.Cli.Sec;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Cli.Tests.Sec;

public sealed class SecFileTests
{
    private const string Phrase = "correct horse battery staple";

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly byte[] Sealed = SecFile.Seal(SecContent.Of(Invited(), Now, TimeSpan.Zero), Phrase, new Counting());

    [Fact]
    public void What_is_sealed_is_what_is_opened()
    {
        Invitation read = SecFile.Read(Sealed).Open(Phrase).ToInvitation(Now);
        Invitation was = Invited();
        Assert.Equal(was.ToLink(), read.ToLink());
        Assert.DoesNotContain(Convert.ToBase64String(was.Secret.Span), Encoding.UTF8.GetString(Sealed), StringComparison.Ordinal);
    }

    [Fact]
    public void The_golden_file_is_opened_and_written_as_it_stands()
    {
        byte[] golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Sec", "golden.sec"));
        Assert.Equal(Encoding.UTF8.GetString(golden), Encoding.UTF8.GetString(Sealed));
        Assert.Equal("lab", SecFile.Read(golden).Open(Phrase).ServerName);
    }

    [Fact]
    public void The_outside_has_the_fields_of_version_2()
    {
        JsonObject outer = JsonNode.Parse(Sealed)!.AsObject();
        Assert.Equal(["algorithm", "ciphertext", "iterations", "iv", "salt", "tag", "version"], outer.Select(field => field.Key).Order(StringComparer.Ordinal));
        Assert.Equal((32, 12, 16), (Bytes("salt"), Bytes("iv"), Bytes("tag")));

        int Bytes(string name) => Convert.FromBase64String((string)outer[name]!).Length;
    }

    [Fact]
    public void Another_passphrase_does_not_open_it() => Assert.Equal("AM0144", CodeOf(() => SecFile.Read(Sealed).Open("correct horse battery stable")));

    [Fact]
    public void A_file_cut_at_any_byte_is_refused()
    {
        for (int length = 0; length < Sealed.Length - 1; length++)
        {
            byte[] cut = Sealed[..length];
            Assert.Equal("AM0143", CodeOf(() => SecFile.Read(cut)));
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused_with_a_code_or_changes_nothing_outside()
    {
        for (int bit = 0; bit < Sealed.Length * 8; bit++)
        {
            byte[] bad = (byte[])Sealed.Clone();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                SecFile.Read(bad);
            }
            catch (MeshException refused)
            {
                Assert.Contains(refused.Code, (string[])["AM0143", "AM0149"]);
            }
        }
    }

    [Theory]
    [InlineData("salt")]
    [InlineData("iv")]
    [InlineData("ciphertext")]
    [InlineData("tag")]
    public void A_flipped_bit_in_any_part_does_not_open(string part)
    {
        byte[] bad = With(part, text =>
        {
            byte[] bytes = Convert.FromBase64String(text);
            bytes[bytes.Length / 2] ^= 4;
            return JsonValue.Create(Convert.ToBase64String(bytes));
        });
        Assert.Equal("AM0144", CodeOf(() => SecFile.Read(bad).Open(Phrase)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(SecFile.IterationsMin - 1)]
    [InlineData(SecFile.IterationsMax + 1)]
    [InlineData(int.MaxValue)]
    public void A_number_of_iterations_beyond_the_bounds_is_refused_before_anything_is_computed(int iterations) =>
        Assert.Equal("AM0149", CodeOf(() => SecFile.Read(With("iterations", _ => JsonValue.Create(iterations)))));

    [Theory]
    [InlineData("version", "3.0")]
    [InlineData("algorithm", "AES-128-CBC")]
    public void Another_kind_of_file_is_refused(string field, string value) => Assert.Equal("AM0149", CodeOf(() => SecFile.Read(With(field, _ => JsonValue.Create(value)))));

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"version":"2.0","salt":7}""")]
    [InlineData("""{"version":"2.0","salt":"","iv":"","ciphertext":"","tag":"","algorithm":"AES-256-GCM","iterations":600000}""")]
    public void What_is_no_such_file_is_refused(string text) => Assert.Equal("AM0143", CodeOf(() => SecFile.Read(Encoding.UTF8.GetBytes(text))));

    [Fact]
    public void A_file_that_is_too_long_is_refused() => Assert.Equal("AM0143", CodeOf(() => SecFile.Read(new byte[SecFile.BytesMax + 1])));

    [Fact]
    public void After_its_end_it_is_refused()
    {
        SecContent content = SecFile.Read(Sealed).Open(Phrase);
        Assert.NotNull(content.ToInvitation(Now + TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1)));
        Assert.Equal("AM0145", CodeOf(() => content.ToInvitation(Now + TimeSpan.FromMinutes(10))));
    }

    [Fact]
    public void What_is_inside_and_is_no_invitation_is_refused()
    {
        SecContent good = SecContent.Of(Invited(), Now, TimeSpan.Zero);
        foreach (SecContent bad in (SecContent[])
        [
            good with { Protocol = "other" },
            good with { ServerPublicKey = null },
            good with { ServerPublicKey = "AAAA" },
            good with { SharedSecret = new string('A', 400) },
            good with { ServerName = "a\u001b[2Jb" },
            good with { Addresses = [] },
            good with { Addresses = ["nowhere"] },
            good with { Addresses = [null!] },
            good with { Beacons = [null!] },
            good with { ValidUntil = long.MaxValue },
        ])
        {
            Assert.Equal("AM0143", CodeOf(() => bad.ToInvitation(Now)));
        }
    }

    [Fact]
    public void Who_is_to_replace_it_says_when()
    {
        SecContent kept = SecContent.Of(Invited(), Now, TimeSpan.FromMinutes(1));
        Assert.Equal((60, 60), (kept.GracePeriod, kept.ValidUntil - kept.NextRotation));
    }

    private static byte[] With(string field, Func<string, JsonNode> change)
    {
        JsonObject outer = JsonNode.Parse(Sealed)!.AsObject();
        outer[field] = change(outer[field]!.ToString());
        return Encoding.UTF8.GetBytes(outer.ToJsonString());
    }

    private static Invitation Invited() => new()
    {
        Key = DeviceIdentity.Create(new Counting()).PublicKey,
        Secret = new InvitationSecret(Enumerable.Range(1, InvitationSecret.Size).Select(i => (byte)i).ToArray()),
        ExpiresAt = Now + TimeSpan.FromMinutes(10),
        InviterName = "lab",
        Addresses = [IPEndPoint.Parse("192.0.2.7:14590"), IPEndPoint.Parse("[2001:db8::7]:14590")],
    };

    private static string CodeOf(Action action) => Assert.Throws<MeshException>(action).Code;

    private sealed class Counting : IEntropy
    {
        private byte _next;

        public void Fill(Span<byte> destination)
        {
            foreach (ref byte each in destination)
            {
                each = _next++;
            }
        }
    }
}
