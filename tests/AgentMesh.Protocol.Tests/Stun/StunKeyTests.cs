using AgentMesh.Protocol.Stun;

namespace AgentMesh.Protocol.Tests.Stun;

/// <summary>The messages are the test vectors of RFC 5769, section 2.4, and RFC 8489, appendix B.1, with the length of erratum 6268 (code components of RFCs: Revised BSD License, trustee.ietf.org/license-info).</summary>
public sealed class StunKeyTests
{
    private const string Name = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9";
    private const string Realm = "example.org";

    private static readonly byte[] WithSha1 = Convert.FromHexString(
        "000100602112a44278ad3433c6ad72c029da412e" + "00060012e3839ee38388e383aae38383e382afe382b90000"
        + "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341" + "0014000b6578616d706c652e6f726700" + "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666");

    private static readonly byte[] WithSha256 = Convert.FromHexString(
        "000100902112a44278ad3433c6ad72c029da412e" + "001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
        + "001500296f624d61744a6f7332414141436" + "62f2f3439396b39353464364f4c33346f4c39465354767936347341000000" + "0014000b6578616d706c652e6f726700" + "001d000400020000"
        + "001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65");

    [Fact]
    public void The_proof_of_RFC_5769_is_right_and_stands_for_what_is_before_it()
    {
        Assert.True(StunMessage.TryRead(WithSha1, out StunMessage message));
        Assert.True(StunKey.LongTerm(new StunCredentials(Name, "TheMatrIX"), Realm, null).TryVerify(message, out StunMessage proven));

        Assert.True(proven.TryGet(StunAttribute.Username, out ReadOnlySpan<byte> user));
        Assert.Equal(Name, System.Text.Encoding.UTF8.GetString(user));
        Assert.False(proven.TryGet(StunAttribute.MessageIntegrity, out _));
    }

    [Fact]
    public void The_proof_of_RFC_8489_is_right_with_a_password_of_that_algorithm()
    {
        Assert.True(StunMessage.TryRead(WithSha256, out StunMessage message));

        Assert.True(Key("TheMatrIX", StunPasswordAlgorithm.Sha256).TryVerify(message, out _));
        Assert.False(Key("TheMatrIX", StunPasswordAlgorithm.Md5).TryVerify(message, out _));
        Assert.False(Key("TheMatrIX", null).TryVerify(message, out _));
        Assert.False(Key("TheMatriX", StunPasswordAlgorithm.Sha256).TryVerify(message, out _));
    }

    [Fact]
    public void One_changed_bit_is_no_proof()
    {
        foreach ((byte[] vector, StunPasswordAlgorithm? algorithm) in new[] { (WithSha1, (StunPasswordAlgorithm?)null), (WithSha256, StunPasswordAlgorithm.Sha256) })
        {
            for (int bit = 0; bit < vector.Length * 8; bit++)
            {
                byte[] flipped = [.. vector];
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(StunMessage.TryRead(flipped, out StunMessage message) && Key("TheMatrIX", algorithm).TryVerify(message, out _), $"bit {bit}");
            }
        }
    }

    [Fact]
    public void What_was_written_is_proven_also_with_a_fingerprint_behind_it()
    {
        foreach (StunPasswordAlgorithm? algorithm in new StunPasswordAlgorithm?[] { null, StunPasswordAlgorithm.Md5, StunPasswordAlgorithm.Sha256 })
        {
            StunKey key = Key("secret", algorithm);
            byte[] buffer = new byte[200];
            var writer = new StunWriter(buffer, StunType.RefreshRequest, new StunTransactionId(1, 2));
            writer.Add(StunAttribute.Lifetime, 600u);
            writer.AddIntegrity(key);
            writer.AddFingerprint();

            Assert.True(StunMessage.TryRead(buffer.AsSpan(0, writer.Length), out StunMessage message));
            Assert.True(key.TryVerify(message, out StunMessage proven));
            Assert.True(proven.TryGet(StunAttribute.Lifetime, out uint seconds));
            Assert.Equal(600u, seconds);
        }
    }

    private static StunKey Key(string password, StunPasswordAlgorithm? algorithm) => StunKey.LongTerm(new StunCredentials(Name, password), Realm, algorithm);
}
