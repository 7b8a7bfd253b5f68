using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Registry.Wire;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using Google.Protobuf;

namespace AgentMesh.Mesh.Tests.Registry;

/// <summary>A and B have each other, and a thief has a copy of the key of A.</summary>
public sealed class OwnForkTests : IDisposable
{
    private static readonly DeviceIdentity A = Identity(1), B = Identity(2), C = Identity(3);
    private static readonly DeviceIdentity Next = A.CreateSuccessor(new Filled(11)), Thiefs = A.CreateSuccessor(new Filled(13));

    private readonly string _directory = Directory.CreateTempSubdirectory("am-fork-").FullName;
    private readonly List<DeviceRegistry> _open = [];

    public void Dispose()
    {
        _open.ForEach(registry => registry.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_believes_that_its_key_is_in_two_hands_by_the_proof_and_knows_it_after_a_restart(bool hasAnotherKeyItself)
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        if (hasAnotherKeyItself)
        {
            a.Succeed(Next);
        }

        int raised = 0;
        a.Changed += () => raised++;
        Assert.Null(a.OwnFork);
        byte[] proof = ClaimOn(A, Thiefs);
        a.Take([proof]);
        a.Take([proof, proof]);

        Assert.Equal((A.PublicKey, Thiefs.PublicKey), (a.OwnFork!.Of, a.OwnFork.Key));
        Assert.Equal((1, 0L), (raised, a.RefusedEntries));

        // Who knows it says so, and it means nothing else here.
        Assert.Equal(1UL, a.Heads()[Thiefs.PublicKey.Id]);
        Assert.DoesNotContain(Entries(a), entry => entry.AsSpan().SequenceEqual(proof));
        Assert.True(a.IsAdmitted(B.PublicKey));
        a.Rename(B.Id, "beta");

        a = Reopen(a, hasAnotherKeyItself ? Next : A);
        Assert.Equal(Thiefs.PublicKey, a.OwnFork!.Key);
        Assert.Equal("beta", a.Devices[B.Id].Name);
        Assert.Null(b.OwnFork);
    }

    [Fact]
    public void What_is_no_proof_against_a_key_of_this_device_is_not_believed()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry c = Open(C);
        c.Succeed(C.CreateSuccessor(new Filled(14)));

        // Of another device; without the secret of this one; and what this device has said itself, from elsewhere.
        a.Take(Entries(c));
        a.Take([ClaimOn(C, Thiefs), Claim(Thiefs, of: A, namedBy: Thiefs), Claim(Thiefs, of: A, namedBy: C), Claim(Thiefs, of: A, namedBy: null)]);
        a.Succeed(Next);
        b.Take(Entries(a));
        a.Take(Entries(b));

        Assert.Null(a.OwnFork);
        Assert.False(File.Exists(ForkPathOf(A)));
        Assert.True(a.RefusedEntries >= 4);
    }

    [Fact]
    public void A_proof_that_was_altered_or_cut_anywhere_is_not_believed_and_nothing_throws()
    {
        (DeviceRegistry a, _) = Both();
        byte[] proof = ClaimOn(A, Thiefs);
        for (int at = 0; at < proof.Length; at++)
        {
            byte[] altered = [.. proof];
            altered[at] ^= 0x41;
            a.Take([altered, proof[..at]]);
            Assert.True(a.OwnFork is null, $"byte {at} of {proof.Length}");
        }

        a.Take([proof]);
        Assert.NotNull(a.OwnFork);
    }

    [Fact]
    public void Of_a_thousand_proofs_one_is_kept()
    {
        (DeviceRegistry a, _) = Both();
        int raised = 0, heads = a.Heads().Count;
        a.Changed += () => raised++;
        DeviceIdentity[] thieves = [.. Enumerable.Range(0, 1000).Select(number => A.CreateSuccessor(new Numbered(number)))];
        a.Take(thieves.Select(thief => ClaimOn(A, thief)));

        Assert.Equal(thieves[0].PublicKey, a.OwnFork!.Key);
        Assert.Equal((1, heads + 1), (raised, a.Heads().Count));
        Assert.InRange(new FileInfo(ForkPathOf(A)).Length, 1, RegistryEntry.BytesMax);
    }

    [Fact]
    public void A_file_that_is_damaged_or_of_another_device_says_nothing_and_is_written_anew_when_it_is_heard_again()
    {
        (DeviceRegistry a, _) = Both();
        byte[] proof = ClaimOn(A, Thiefs);
        foreach (byte[] file in (byte[][])[[], [1, 2, 3], proof[..^1], ClaimOn(C, Thiefs), new byte[100_000]])
        {
            a.Dispose();
            File.WriteAllBytes(ForkPathOf(A), file);
            a = Open(A);
            Assert.Null(a.OwnFork);
        }

        a.Take([proof]);
        Assert.Equal(Thiefs.PublicKey, Reopen(a, A).OwnFork!.Key);
    }

    [Fact]
    public void Where_it_cannot_be_written_it_is_known_until_the_end_and_written_when_it_is_heard_again()
    {
        (DeviceRegistry a, _) = Both();
        byte[] proof = ClaimOn(A, Thiefs);
        Directory.CreateDirectory(ForkPathOf(A));
        a.Take([proof]);
        Assert.NotNull(a.OwnFork);

        Directory.Delete(ForkPathOf(A));
        a.Take([proof]);
        Assert.NotNull(Reopen(a, A).OwnFork);
    }

    [Fact]
    public void What_proves_it_to_the_holder_of_a_key_is_there_for_every_key_that_does_not_count_and_for_no_other()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceIdentity later = A.CreateSuccessor(new Filled(15));
        Assert.Empty(b.ClaimsAgainst(A.Id));
        a.Succeed(Next);
        a.Succeed(later);
        b.Take(Entries(a));
        Assert.Equal([Next.PublicKey.Id], b.ClaimsAgainst(A.Id).Select(claim => claim.KeyId));
        Assert.Equal([later.PublicKey.Id], b.ClaimsAgainst(Next.PublicKey.Id).Select(claim => claim.KeyId));
        Assert.Empty(b.ClaimsAgainst(later.PublicKey.Id));
        Assert.Empty(b.ClaimsAgainst(C.Id));

        // Both sides of a fork, and what came after one of them.
        b.Take([ClaimOn(A, Thiefs)]);
        Assert.Contains(A.Id, b.Forked.Keys);
        Assert.Equal(2, b.ClaimsAgainst(A.Id).Count);
        Assert.Equal([Thiefs.PublicKey.Id], b.ClaimsAgainst(Next.PublicKey.Id).Select(claim => claim.KeyId));
        Assert.Equal([Thiefs.PublicKey.Id], b.ClaimsAgainst(later.PublicKey.Id).Select(claim => claim.KeyId));
        Assert.Equal([Next.PublicKey.Id], b.ClaimsAgainst(Thiefs.PublicKey.Id).Select(claim => claim.KeyId));
        a.Take(b.ClaimsAgainst(later.PublicKey.Id).Select(claim => claim.Entry));
        Assert.Equal(Thiefs.PublicKey, a.OwnFork!.Key);

        // Who is put out by word is a stranger.
        b.Revoke([A.Id]);
        Assert.Empty(b.ClaimsAgainst(A.Id));
        Assert.Empty(b.ClaimsAgainst(later.PublicKey.Id));
    }

    /// <summary>What somebody makes who has the secret of a key and another key.</summary>
    private static byte[] ClaimOn(DeviceIdentity key, DeviceIdentity next) => Claim(next, key, namedBy: key);

    /// <param name="namedBy">Who signs that the author is the next one of <paramref name="of"/>; null: nobody.</param>
    private static byte[] Claim(DeviceIdentity author, DeviceIdentity of, DeviceIdentity? namedBy)
    {
        byte[]? naming = namedBy is null ? null : Signed(namedBy, new Body { Version = 1, Author = Bytes(of.PublicKey), Sequence = 3, Previous = ByteString.CopyFrom(new byte[32]), Kind = Body.Types.Kind.Successor, Subject = Bytes(author.PublicKey) });
        return Signed(author, new Body { Version = 1, Author = Bytes(author.PublicKey), Sequence = 1, Kind = Body.Types.Kind.Succeed, Subject = Bytes(of.PublicKey), Proof = ByteString.CopyFrom(naming ?? []) });
    }

    private static byte[] Signed(DeviceIdentity by, Body body) =>
        new SignedEntry { Body = body.ToByteString(), Signature = ByteString.CopyFrom(by.Sign([.. "agentmesh-registry-1"u8, 0, .. body.ToByteArray()])) }.ToByteArray();

    private static ByteString Bytes(DevicePublicKey key) => ByteString.CopyFrom(key.Span);

    private (DeviceRegistry A, DeviceRegistry B) Both()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(A.PublicKey, "a", []);
        return (a, b);
    }

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static IReadOnlyList<byte[]> Entries(DeviceRegistry registry) => registry.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue);

    private string PathOf(DeviceIdentity who) => Path.Combine(_directory, who.Id.ToString());

    private string ForkPathOf(DeviceIdentity who) => PathOf(who) + ForkProof.Suffix;

    private DeviceRegistry Open(DeviceIdentity who)
    {
        DeviceRegistry registry = DeviceRegistry.Open(PathOf(who), who, TimeProvider.System);
        _open.Add(registry);
        return registry;
    }

    private DeviceRegistry Reopen(DeviceRegistry registry, DeviceIdentity who)
    {
        registry.Dispose();
        return Open(who);
    }

    private sealed class Numbered(int number) : IEntropy
    {
        public void Fill(Span<byte> destination)
        {
            destination.Clear();
            BitConverter.TryWriteBytes(destination, number + 1);
        }
    }
}
