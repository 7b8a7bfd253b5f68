using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests.Registry;

/// <summary>A and B have each other; it is A that changes its key.</summary>
public sealed class SuccessionTests : IDisposable
{
    private static readonly DeviceIdentity A = Identity(1), B = Identity(2), C = Identity(3);
    private static readonly DeviceIdentity Next = A.CreateSuccessor(new Filled(11)), Later = A.CreateSuccessor(new Filled(12)), Thiefs = A.CreateSuccessor(new Filled(13));

    private readonly string _directory = Directory.CreateTempSubdirectory("am-succession-").FullName;
    private readonly List<DeviceRegistry> _open = [];

    public void Dispose()
    {
        _open.ForEach(registry => registry.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_device_with_another_key_is_the_same_device_and_its_former_key_counts_no_more()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        b.Rename(A.Id, "alpha");
        a.Succeed(Next);
        Sync(a, b);

        RegisteredDevice device = b.Devices[A.Id];
        Assert.Equal((Next.PublicKey, "alpha"), (device.Key, device.Name));
        Assert.Equal([Grant.Run], device.Grants);
        Assert.Equal([A.PublicKey], device.FormerKeys);
        Assert.True(b.IsAdmitted(Next.PublicKey));
        Assert.False(b.IsAdmitted(A.PublicKey));
        Assert.Equal((A.Id, A.Id), (b.DeviceOf(Next.PublicKey.Id), b.DeviceOf(A.Id)));
    }

    [Fact]
    public void The_id_of_the_key_that_counts_is_of_the_mesh_and_that_of_a_former_one_is_not()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        Assert.Equal((true, true, false), (b.IsOfMesh(A.Id), b.IsOfMesh(B.Id), b.IsOfMesh(C.Id)));
        a.Succeed(Next);
        Sync(a, b);
        foreach (DeviceRegistry registry in (DeviceRegistry[])[a, b])
        {
            Assert.Equal((true, false), (registry.IsOfMesh(Next.PublicKey.Id), registry.IsOfMesh(A.Id)));
        }
    }

    [Fact]
    public void What_a_device_says_with_its_next_key_goes_on_from_what_it_said_before()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        a.Succeed(Next);
        a.Admit(C.PublicKey, "c", []);
        Sync(a, b);
        Assert.Equal(A.Id, b.Devices[C.Id].AdmittedBy);

        a = Reopen(a, Next);
        Assert.Equal([B.Id, C.Id], a.Devices.Keys.Order());
        a.Forget(C.Id);
        a.Succeed(Later);
        Sync(a, b);
        Assert.DoesNotContain(C.Id, b.Devices.Keys);
        Assert.Equal(Later.PublicKey, b.Devices[A.Id].Key);
    }

    [Fact]
    public void What_the_former_key_says_afterwards_is_not_taken()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry thief = CopyOf(a, A);
        a.Succeed(Next);
        Sync(a, b);

        thief.Admit(C.PublicKey, "c", []);
        thief.Revoke([A.Id]);
        Sync(thief, b);
        Assert.Equal([A.Id], b.Devices.Keys);
        Assert.True(b.RefusedEntries > 0);
    }

    [Fact]
    public void Of_two_keys_that_succeed_the_same_one_neither_counts_in_whatever_order_they_are_heard_and_by_all()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry c = Open(C), thief = CopyOf(a, A);
        c.Admit(B.PublicKey, "b", []);
        b.Admit(C.PublicKey, "c", []);
        c.Admit(A.PublicKey, "a", []);
        a.Succeed(Next);
        thief.Succeed(Thiefs);
        Sync(a, b);
        Sync(thief, c);
        Assert.True(c.IsAdmitted(Thiefs.PublicKey));

        Sync(b, c);
        Sync(c, b);
        Assert.DoesNotContain(A.Id, b.Devices.Keys);
        Assert.DoesNotContain(A.Id, c.Devices.Keys);
        Assert.Equal("AM0368", Assert.Throws<MeshException>(() => b.Admit(A.PublicKey, "a", [])).Code);
        Assert.True(b.IsAdmitted(C.PublicKey));
        Assert.Empty(a.Forked);
        foreach (DeviceRegistry each in new[] { b, c })
        {
            ForkedDevice fork = each.Forked[A.Id];
            Assert.Equal((A.PublicKey, "a"), (fork.Key, fork.Name));
            Assert.Equal(new[] { Next.PublicKey, Thiefs.PublicKey }.ToHashSet(), fork.Claims.Select(claim => claim.Key).ToHashSet());
        }

        // It is off the list where it is put out by word, here and where that is heard.
        b.Revoke([A.Id]);
        Assert.Empty(b.Forked);
        Assert.Equal(A.Id, Assert.Single(b.Revoked).Key);
        Sync(b, c);
        Assert.Empty(c.Forked);
    }

    [Fact]
    public void A_revoked_key_names_no_successor()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        b.Revoke([A.Id]);
        a.Succeed(Next);
        Sync(a, b);
        Assert.Empty(b.Devices);
        Assert.False(b.IsAdmitted(Next.PublicKey));
    }

    [Fact]
    public void Whoever_is_revoked_is_out_with_all_its_keys_for_those_too_who_know_only_the_first()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry c = Open(C);
        c.Admit(B.PublicKey, "b", []);
        c.Admit(A.PublicKey, "a", []);
        b.Admit(C.PublicKey, "c", []);
        a.Succeed(Next);
        Sync(a, b);
        b.Revoke([A.Id]);

        // An older version keeps entries of kinds that it does not know, and takes none of authors that it does not.
        c.Take(Entries(b).Where(entry => RegistryEntryOf(entry).Change != RegistryChange.Succeed));
        Assert.Equal([B.Id], c.Devices.Keys);
    }

    [Fact]
    public void Who_is_paired_by_a_later_key_turns_out_to_be_the_device_of_the_first()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        a.Succeed(Next);
        DeviceRegistry c = Open(C);
        c.Admit(Next.PublicKey, "a", [Grant.Run]);
        Assert.True(c.Devices.ContainsKey(Next.PublicKey.Id));

        Sync(a, c);
        Sync(a, c);
        RegisteredDevice device = c.Devices[A.Id];
        Assert.Equal((Next.PublicKey, "a"), (device.Key, device.Name));
        Assert.Equal([Grant.Run], device.Grants);
        Assert.True(c.IsAdmitted(B.PublicKey));
        Assert.False(c.IsAdmitted(A.PublicKey));
    }

    [Fact]
    public void A_change_that_was_cut_off_anywhere_goes_on()
    {
        (DeviceRegistry a, _) = Both();
        string path = PathOf(A);
        a.Succeed(Next);
        a.Dispose();
        byte[] whole = File.ReadAllBytes(path);
        int[] ends = [.. EndsOf(whole)];

        // Nothing of it, the naming alone, and both are on disk.
        foreach (int end in ends[^3..])
        {
            File.WriteAllBytes(path, whole[..end]);
            using DeviceRegistry again = DeviceRegistry.Open(path, A, TimeProvider.System, Next);
            again.Succeed(Next);
            Assert.Equal(Next.PublicKey, again.OwnKey);
            Assert.Equal([B.Id], again.Devices.Keys);
            again.Rename(B.Id, "beta");
        }

        using DeviceRegistry done = DeviceRegistry.Open(path, Next, TimeProvider.System);
        Assert.Equal("beta", done.Devices[B.Id].Name);
    }

    [Fact]
    public void An_identity_whose_registry_was_lost_is_refused()
    {
        string path = Path.Combine(_directory, "lost");
        Assert.Equal("AM0330", Assert.Throws<MeshException>(() => DeviceRegistry.Open(path, Next, TimeProvider.System)).Code);
    }

    private (DeviceRegistry A, DeviceRegistry B) Both()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(A.PublicKey, "a", [Grant.Run]);
        Sync(b, a);
        Sync(a, b);
        return (a, b);
    }

    private static IEnumerable<int> EndsOf(byte[] file)
    {
        for (int at = 0; at < file.Length; at += sizeof(int) + BitConverter.ToInt32(file, at))
        {
            yield return at;
        }

        yield return file.Length;
    }

    private static RegistryEntry RegistryEntryOf(byte[] bytes) => RegistryEntry.TryRead(bytes, out RegistryEntry? entry) ? entry : throw new InvalidDataException();

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static IReadOnlyList<byte[]> Entries(DeviceRegistry registry) => registry.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue);

    private static void Sync(DeviceRegistry from, DeviceRegistry to) => to.Take(from.EntriesAfter(to.Heads(), int.MaxValue));

    private string PathOf(DeviceIdentity who) => Path.Combine(_directory, who.Id.ToString());

    private DeviceRegistry Open(DeviceIdentity who, string? path = null)
    {
        DeviceRegistry registry = DeviceRegistry.Open(path ?? PathOf(who), who, TimeProvider.System);
        _open.Add(registry);
        return registry;
    }

    private DeviceRegistry Reopen(DeviceRegistry registry, DeviceIdentity who)
    {
        registry.Dispose();
        return Open(who);
    }

    /// <summary>What somebody has who took a copy of the data directory.</summary>
    private DeviceRegistry CopyOf(DeviceRegistry registry, DeviceIdentity who)
    {
        string path = Path.Combine(_directory, "copy");
        using (var from = new FileStream(PathOf(who), FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        using (FileStream to = File.Create(path))
        {
            from.CopyTo(to);
        }

        Assert.NotEmpty(registry.Devices);
        return Open(who, path);
    }
}
