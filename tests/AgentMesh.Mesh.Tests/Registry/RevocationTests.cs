using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests.Registry;

/// <summary>A and B have each other; the lost device is L.</summary>
public sealed class RevocationTests : IDisposable
{
    private static readonly DeviceIdentity A = Identity(1), B = Identity(2), C = Identity(3), L = Identity(4);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-revoke-").FullName;
    private readonly Dictionary<DeviceIdentity, DeviceRegistry> _open = [];

    public void Dispose()
    {
        foreach (DeviceRegistry registry in _open.Values)
        {
            registry.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_device_that_one_of_its_two_admitters_revokes_is_out_on_both_and_stays_out_after_a_restart()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        Assert.False(b.IsAdmitted(L.PublicKey));
        Assert.True(a.IsAdmitted(L.PublicKey));

        Sync(b, a);
        Assert.Equal([B.Id], a.Devices.Keys);
        Assert.Equal((B.Id, "lost"), (a.Revoked[L.Id].By, a.Revoked[L.Id].Name));
        a = Reopen(A);
        Assert.Equal([B.Id], a.Devices.Keys);
    }

    [Fact]
    public void A_device_that_is_only_forgotten_stays_with_who_admitted_it_too()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Forget(L.Id);
        Sync(b, a);
        Assert.True(a.IsAdmitted(L.PublicKey));
        Assert.Empty(a.Revoked);
    }

    [Fact]
    public void Who_was_revoked_comes_back_by_a_new_pairing_on_each_device_and_with_nothing_of_what_it_had()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        Sync(b, a);

        b.Admit(L.PublicKey, "lost", []);
        Sync(b, a);
        Assert.True(b.IsAdmitted(L.PublicKey));
        Assert.False(a.IsAdmitted(L.PublicKey));
        Assert.Empty(b.Revoked);

        a.Admit(L.PublicKey, "lost", []);
        Assert.True(a.IsAdmitted(L.PublicKey));
        Assert.Empty(a.Devices[L.Id].Grants);
        Assert.True(Reopen(A).IsAdmitted(L.PublicKey));
    }

    [Fact]
    public void A_new_revocation_counts_after_a_new_pairing()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        Sync(b, a);
        a.Admit(L.PublicKey, "lost", []);
        b.Revoke([L.Id]);
        Sync(b, a);
        Assert.False(a.IsAdmitted(L.PublicKey));
    }

    [Fact]
    public void A_device_that_comes_later_learns_who_is_out_before_somebody_tells_it_otherwise()
    {
        (DeviceRegistry _, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        DeviceRegistry c = Open(C), fresh = Open(Identity(7));
        c.Admit(B.PublicKey, "b", []);
        c.Admit(L.PublicKey, "lost", [Grant.Run]);
        b.Admit(C.PublicKey, "c", []);
        fresh.Admit(B.PublicKey, "b", []);
        Sync(b, fresh);
        Sync(c, fresh);
        Assert.True(fresh.IsAdmitted(C.PublicKey));
        Assert.False(fresh.IsAdmitted(L.PublicKey));
    }

    [Fact]
    public void Nothing_that_a_device_says_after_it_was_revoked_is_taken_even_in_the_same_batch()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        DeviceRegistry l = Open(L);
        l.Admit(C.PublicKey, "c", []);
        l.Revoke([C.Id]);
        b.Revoke([L.Id]);
        b.Admit(C.PublicKey, "c", []);
        a.Take([.. Entries(b), .. Entries(l)]);
        Assert.True(a.IsAdmitted(C.PublicKey));
        Assert.Equal(2, a.RefusedEntries);
    }

    [Fact]
    public void A_revocation_outlives_the_membership_of_who_spoke_it()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        Sync(b, a);
        a.Forget(B.Id);
        Assert.Empty(a.Devices);
        Assert.True(a.Revoked.ContainsKey(L.Id));
    }

    [Fact]
    public void Of_two_that_revoke_each_other_a_third_believes_the_one_it_hears_first()
    {
        DeviceRegistry a = Open(A), b = Open(B), l = Open(L);
        a.Admit(B.PublicKey, "b", []);
        a.Admit(L.PublicKey, "lost", []);
        b.Admit(L.PublicKey, "lost", []);
        l.Admit(B.PublicKey, "b", []);
        byte[][] before = [.. Entries(b), .. Entries(l)];
        a.Take(before);
        l.Revoke([B.Id]);
        Sync(l, b);
        Assert.Equal([L.Id], b.Devices.Keys);
        b.Revoke([L.Id]);

        // What comes first closes the ear for the other: out is who is named first, and the other stays until the user says so.
        Sync(l, a);
        Assert.Equal([L.Id], a.Devices.Keys);
        a.Revoke([L.Id]);
        Assert.Empty(a.Devices);
    }

    [Fact]
    public void A_device_that_gives_its_own_key_up_is_out_everywhere()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([B.Id]);
        Assert.Equal(2, b.Devices.Count);
        Sync(b, a);
        Assert.Equal([L.Id], a.Devices.Keys);
        Assert.Equal(B.Id, a.Revoked[B.Id].By);
    }

    [Fact]
    public void A_device_that_is_forgotten_here_already_can_still_be_revoked_and_a_stranger_cannot()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Forget(L.Id);
        Assert.Equal([L.Id], b.FindEver(L.Id.ToString()[..8]));
        b.Revoke([L.Id]);
        Sync(b, a);
        Assert.False(a.IsAdmitted(L.PublicKey));
        Assert.Equal(MeshErrors.UnknownPeer, Assert.Throws<MeshException>(() => b.Revoke([C.Id])).Code);
    }

    [Fact]
    public void It_is_told_who_admitted_a_device_and_when()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(L.PublicKey, "lost", []);
        Sync(b, a);
        Assert.Equal((A.Id, B.Id), (a.Devices[B.Id].AdmittedBy, a.Devices[L.Id].AdmittedBy));
        Assert.InRange(TimeProvider.System.GetUtcNow() - a.Devices[L.Id].AdmittedAt, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void An_entry_of_a_kind_from_a_later_version_means_nothing_and_what_follows_counts()
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "b", []);
        RegistryEntry later = RegistryEntry.Sign(B, null, TimeProvider.System.GetUtcNow(), (RegistryChange)77, L.PublicKey, "x", []);
        RegistryEntry known = RegistryEntry.Sign(B, later, TimeProvider.System.GetUtcNow(), RegistryChange.Admit, C.PublicKey, "c", []);
        a.Take([later.Bytes, known.Bytes]);
        Assert.Equal([B.Id, C.Id], a.Devices.Keys.OrderBy(id => id == C.Id));
        Assert.Equal(0, a.RefusedEntries);
        Assert.Equal(2, Reopen(A).Devices.Count);
    }

    [Fact]
    public void A_device_that_was_killed_before_it_wrote_down_what_follows_does_so_at_its_start()
    {
        (DeviceRegistry a, DeviceRegistry b) = BothAdmit();
        b.Revoke([L.Id]);
        Sync(b, a);
        a.Dispose();
        string path = Path.Combine(_directory, A.Id.ToString());
        byte[] whole = File.ReadAllBytes(path);
        int last = 0;
        for (int next = 0; next < whole.Length; next += sizeof(int) + BitConverter.ToInt32(whole, next))
        {
            last = next;
        }

        File.WriteAllBytes(path, whole[..last]);
        a = Open(A);
        Assert.False(a.IsAdmitted(L.PublicKey));
        Assert.Equal(whole.Length, new FileInfo(path).Length);
        a.Admit(L.PublicKey, "lost", []);
        Assert.Empty(a.Devices[L.Id].Grants);
    }

    /// <summary>A and B admit each other and, each by its own word, L; A lets it start programs.</summary>
    private (DeviceRegistry A, DeviceRegistry B) BothAdmit()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        a.Admit(L.PublicKey, "lost", [Grant.Run]);
        b.Admit(A.PublicKey, "a", []);
        b.Admit(L.PublicKey, "lost", []);
        Sync(b, a);
        Sync(a, b);
        return (a, b);
    }

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static IReadOnlyList<byte[]> Entries(DeviceRegistry registry) => registry.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue);

    private static void Sync(DeviceRegistry from, DeviceRegistry to) => to.Take(from.EntriesAfter(to.Heads(), int.MaxValue));

    private DeviceRegistry Open(DeviceIdentity who) => _open[who] = DeviceRegistry.Open(Path.Combine(_directory, who.Id.ToString()), who, TimeProvider.System);

    private DeviceRegistry Reopen(DeviceIdentity who)
    {
        _open[who].Dispose();
        return Open(who);
    }
}
