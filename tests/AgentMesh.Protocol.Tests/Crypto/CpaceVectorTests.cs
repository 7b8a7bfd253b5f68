using System.Text.Json;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Tests.Crypto;

/// <summary>The vectors of the draft for ristretto255.</summary>
public sealed class CpaceVectorTests
{
    private static readonly JsonElement File = VectorFile.Read("cpace.json");
    private static readonly JsonElement Vector = File.GetProperty("G_Coffee25519");

    [Fact]
    public void Generator_is_that_of_the_vector()
    {
        byte[] generator = new byte[Ristretto255.ElementBytes];
        Cpace.Generator(Vector.Hex("PRS"), Vector.Hex("CI"), Vector.Hex("sid"), generator);
        Assert.Equal(Vector.Hex("g"), generator);
    }

    [Fact]
    public void Both_sides_have_the_shares_and_the_key_of_the_vector()
    {
        using Cpace a = Begin("ya"), b = Begin("yb");
        Assert.Equal(Vector.Hex("Ya"), a.Share.ToArray());
        Assert.Equal(Vector.Hex("Yb"), b.Share.ToArray());

        byte[] atA = new byte[Cpace.KeyBytes], atB = new byte[Cpace.KeyBytes];
        Assert.True(a.TryFinishInitiator(Vector.Hex("ADa"), b.Share, Vector.Hex("ADb"), atA));
        Assert.True(b.TryFinishResponder(Vector.Hex("ADb"), a.Share, Vector.Hex("ADa"), atB));
        Assert.Equal(Vector.Hex("ISK_IR"), atA);
        Assert.Equal(Vector.Hex("ISK_IR"), atB);
    }

    [Fact]
    public void Multiplication_and_the_points_that_are_none_are_those_of_the_vector()
    {
        JsonElement points = File.GetProperty("G_Coffee25519_points"), valid = points.GetProperty("Valid");
        byte[] product = new byte[Ristretto255.ElementBytes];
        Assert.True(Ristretto255.TryMultiply(valid.Hex("s"), valid.Hex("X"), product));
        Assert.Equal(valid.Hex("G.scalar_mult(s,decode(X))"), product);
        foreach (string none in new[] { "Invalid Y1", "Invalid Y2" })
        {
            using Cpace a = Begin("ya");
            Assert.False(a.TryFinishInitiator(default, points.Hex(none), default, new byte[Cpace.KeyBytes]), none);
        }
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void Another_password_session_or_data_gives_another_key(bool password, bool session, bool data)
    {
        byte[] sid = Vector.Hex("sid"), prs = Vector.Hex("PRS");
        using Cpace a = Begin("ya");
        sid[0] ^= (byte)(session ? 1 : 0);
        prs[0] ^= (byte)(password ? 1 : 0);
        using Cpace b = Cpace.Begin(prs, Vector.Hex("CI"), sid, Vector.Hex("yb"));
        byte[] atA = new byte[Cpace.KeyBytes], atB = new byte[Cpace.KeyBytes];
        Assert.True(a.TryFinishInitiator("a"u8, b.Share, "b"u8, atA));
        Assert.True(b.TryFinishResponder("b"u8, a.Share, data ? "x"u8 : "a"u8, atB));
        Assert.NotEqual(atA, atB);
    }

    private static Cpace Begin(string scalar) => Cpace.Begin(Vector.Hex("PRS"), Vector.Hex("CI"), Vector.Hex("sid"), Vector.Hex(scalar));
}
