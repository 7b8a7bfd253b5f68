using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Tests.Crypto;

public sealed class LibcryptoTests
{
    [Fact]
    public void Gives_the_base_librarys_bytes_at_every_length_and_opens_only_what_is_authentic()
    {
        var random = new Random(5);
        byte[] key = new byte[Aead.KeyBytes], nonce = new byte[Aead.NonceBytes], tag = new byte[Aead.TagBytes], expectedTag = new byte[Aead.TagBytes];
        random.NextBytes(key);
        using Aead? aead = LibcryptoAesGcm.TryCreate(key);
        if (aead is null)
        {
            return; // another system, which has the base library's class
        }

        using var reference = new AesGcm(key, Aead.TagBytes);
        foreach (int length in Enumerable.Range(0, 70).Concat([1200, 1423, 8952, 65_000]))
        {
            byte[] plain = new byte[length], box = new byte[length], expected = new byte[length], opened = new byte[length], associated = new byte[length % 20];
            random.NextBytes(plain);
            random.NextBytes(nonce);
            random.NextBytes(associated);
            aead.Encrypt(nonce, plain, box, tag, associated);
            reference.Encrypt(nonce, plain, expected, expectedTag, associated);
            Assert.Equal(expected, box);
            Assert.Equal(expectedTag, tag);
            Assert.True(aead.TryDecrypt(nonce, box, tag, opened, associated));
            Assert.Equal(plain, opened);

            tag[random.Next(tag.Length)] ^= 0x10;
            Assert.False(aead.TryDecrypt(nonce, box, tag, opened, associated));
            Assert.All(opened, value => Assert.Equal(0, value));
            tag = [.. expectedTag];
            nonce[3] ^= 1;
            Assert.False(aead.TryDecrypt(nonce, box, tag, opened, associated));
        }
    }

    [Fact]
    public void Is_over_after_disposal()
    {
        Aead? aead = LibcryptoAesGcm.TryCreate(new byte[Aead.KeyBytes]);
        aead?.Dispose();

        if (aead is not null)
        {
            Assert.Throws<ObjectDisposedException>(() => aead.Encrypt(new byte[12], new byte[4], new byte[4], new byte[16], []));
        }
    }
}
