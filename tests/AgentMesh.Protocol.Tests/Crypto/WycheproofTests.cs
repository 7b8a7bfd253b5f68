using System.Text.Json;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Tests.Crypto;

public class WycheproofTests
{
    [Fact]
    public void X25519_agrees_and_refuses_points_of_low_order()
    {
        int count = 0, refused = 0;
        byte[] shared = new byte[32];
        foreach ((_, JsonElement test, string name) in VectorFile.Wycheproof("wycheproof-x25519.json"))
        {
            byte[] expected = test.Hex("shared");
            bool lowOrder = expected.All(b => b == 0);
            bool agreed = X25519.TryAgree(test.Hex("private"), test.Hex("public"), shared);
            Assert.True(agreed == !lowOrder, name);
            Assert.True(!agreed || shared.AsSpan().SequenceEqual(expected), name);
            count++;
            refused += lowOrder ? 1 : 0;
        }

        Assert.Equal(518, count);
        Assert.True(refused > 10);
    }

    [Fact]
    public void Ed25519_verifies_exactly_the_valid_signatures()
    {
        int count = 0;
        foreach ((JsonElement group, JsonElement test, string name) in VectorFile.Wycheproof("wycheproof-ed25519.json"))
        {
            var key = new DevicePublicKey(group.GetProperty("publicKey").Hex("pk"));
            bool valid = test.GetProperty("result").GetString() == "valid";
            Assert.True(DeviceIdentity.Verify(key, test.Hex("msg"), test.Hex("sig")) == valid, name);
            count++;
        }

        Assert.Equal(151, count);
    }

    [Theory]
    [InlineData("wycheproof-aes_gcm.json", CipherSuite.Aes256Gcm)]
    [InlineData("wycheproof-chacha20_poly1305.json", CipherSuite.ChaCha20Poly1305)]
    public void Aead_seals_to_the_vector_and_opens_exactly_the_valid_ones(string file, object suite)
    {
        int count = 0;
        foreach ((JsonElement group, JsonElement test, string name) in VectorFile.Wycheproof(file))
        {
            // Only what this protocol can use: 256-bit keys, 96-bit nonces, 128-bit tags.
            if (group.GetProperty("keySize").GetInt32() != 256 || group.GetProperty("ivSize").GetInt32() != 96 || group.GetProperty("tagSize").GetInt32() != 128)
            {
                continue;
            }

            using Aead aead = Aead.Create((CipherSuite)suite, test.Hex("key"));
            byte[] message = test.Hex("msg"), expected = test.Hex("ct"), buffer = test.Hex("ct"), tag = new byte[16];
            bool valid = test.GetProperty("result").GetString() == "valid";

            // In place, as packets are.
            bool opened = aead.TryDecrypt(test.Hex("iv"), buffer, test.Hex("tag"), buffer, test.Hex("aad"));
            Assert.True(opened == valid, name);
            if (valid)
            {
                Assert.True(buffer.AsSpan().SequenceEqual(message), name);
                aead.Encrypt(test.Hex("iv"), buffer, buffer, tag, test.Hex("aad"));
                Assert.True(buffer.AsSpan().SequenceEqual(expected) && tag.AsSpan().SequenceEqual(test.Hex("tag")), name);
            }

            count++;
        }

        Assert.True(count > 60, $"{count} vectors were used");
    }
}
