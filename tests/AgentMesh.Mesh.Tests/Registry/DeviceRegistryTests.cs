using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests.Registry;

public sealed class DeviceRegistryTests : IDisposable
{
    private static readonly DeviceIdentity A = Identity(1), B = Identity(2), C = Identity(3), D = Identity(4);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-registry-").FullName;
    private readonly List<DeviceRegistry> _open = [];

    public void Dispose()
    {
        _open.ForEach(registry => registry.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_device_is_admitted_with_its_grants_and_both_survive_a_restart()
    {
        DeviceRegistry registry = Open(A);
        registry.Admit(B.PublicKey, "gpu-box", [Grant.Run]);
        registry.Admit(C.PublicKey, "laptop", []);
        registry = Reopen(registry, A);
        Assert.True(registry.IsAdmitted(B.PublicKey));
        Assert.Equal(("gpu-box", true), (registry.Devices[B.Id].Name, registry.Devices[B.Id].Grants.Contains(Grant.Run)));
        Assert.Empty(registry.Devices[C.Id].Grants);
        Assert.False(registry.IsAdmitted(D.PublicKey));
    }

    [Fact]
    public void Grants_are_replaced_and_taken_back()
    {
        DeviceRegistry registry = Open(A);
        registry.Admit(B.PublicKey, "gpu", []);
        registry.SetGrants(B.Id, ["RUN "]);
        Assert.Contains(Grant.Run, registry.Devices[B.Id].Grants);
        registry.SetGrants(B.Id, []);
        Assert.Empty(registry.Devices[B.Id].Grants);
        Assert.Equal(MeshErrors.BadGrant, Code(() => registry.SetGrants(B.Id, ["fly"])));
        Assert.Equal(MeshErrors.UnknownPeer, Code(() => registry.SetGrants(D.Id, [])));
        Assert.Equal(MeshErrors.BadGrant, Code(() => registry.Admit(D.PublicKey, "d", ["fly"])));
        Assert.False(registry.IsAdmitted(D.PublicKey));
    }

    [Fact]
    public void What_an_admitted_device_admits_is_admitted_and_its_grants_do_not_count_here()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(A.PublicKey, "a", []);
        b.Admit(C.PublicKey, "c", [Grant.Run]);
        Sync(b, a);
        Assert.True(a.IsAdmitted(C.PublicKey));
        Assert.Empty(a.Devices[C.Id].Grants);
        Assert.Contains(Grant.Run, b.Devices[C.Id].Grants);
    }

    [Fact]
    public void Chains_of_strangers_are_refused_and_counted()
    {
        DeviceRegistry a = Open(A), d = Open(D);
        d.Admit(C.PublicKey, "c", []);
        Sync(d, a);
        Assert.False(a.IsAdmitted(C.PublicKey));
        Assert.Equal(1, a.RefusedEntries);
    }

    [Fact]
    public void Copies_agree_whatever_came_first()
    {
        DeviceRegistry a = Open(A), b = Open(B), c = Open(C);
        a.Admit(B.PublicKey, "box", []);
        b.Admit(A.PublicKey, "a", []);
        b.Admit(C.PublicKey, "box", []);
        c.Admit(B.PublicKey, "box", []);
        c.Admit(D.PublicKey, "box", []);
        byte[][] all = [.. Entries(b), .. Entries(c)];
        string[]? agreed = null;
        for (int seed = 0; seed < 20; seed++)
        {
            DeviceRegistry copy = Open(A, $"copy-{seed}");
            copy.Take(Entries(a));
            copy.Admit(B.PublicKey, "box", []);
            byte[][] shuffled = [.. all];
            new Random(seed).Shuffle(shuffled);
            for (int round = 0; round < all.Length; round++)
            {
                copy.Take(shuffled);
            }

            string[] names = [.. copy.Devices.Values.OrderBy(device => device.Id).Select(device => $"{device.Id} {device.Name}")];
            Assert.Equal(3, names.Length);
            Assert.Equal(agreed ??= names, names);
        }
    }

    [Fact]
    public void A_second_entry_with_the_same_number_is_refused_and_the_first_stays()
    {
        DeviceRegistry a = Open(A), b = Open(B), other = Open(B, "b-from-a-backup");
        a.Admit(B.PublicKey, "b", []);
        b.Admit(C.PublicKey, "c", []);
        other.Admit(D.PublicKey, "d", []);
        a.Take(Entries(b));
        a.Take(Entries(other));
        Assert.True(a.IsAdmitted(C.PublicKey));
        Assert.False(a.IsAdmitted(D.PublicKey));
        Assert.Equal(1, a.RefusedEntries);
    }

    [Fact]
    public void Hostile_bytes_change_nothing()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(C.PublicKey, "c", []);
        byte[] good = Entries(b)[0];
        var random = new Random(20260102);
        for (int round = 0; round < 500; round++)
        {
            byte[] bad = (byte[])good.Clone();
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            a.Take([bad, bad[..random.Next(bad.Length)]]);
        }

        a.Take([[], new byte[100_000]]);
        Assert.False(a.IsAdmitted(C.PublicKey));
        Assert.Equal(1_002, a.RefusedEntries);
        a.Take([good]);
        Assert.True(a.IsAdmitted(C.PublicKey));
    }

    [Fact]
    public void Only_what_the_other_lacks_is_sent()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(A.PublicKey, "a", []);
        b.Admit(C.PublicKey, "c", []);
        b.Admit(D.PublicKey, "d", []);
        Assert.Equal(3, b.EntriesAfter(a.Heads(), 100).Count);
        a.Take(b.EntriesAfter(a.Heads(), 2));
        Assert.Single(b.EntriesAfter(a.Heads(), 100));
        Sync(b, a);
        Assert.Empty(b.EntriesAfter(a.Heads(), 100));
        Assert.Equal(3, a.Devices.Count);
    }

    [Fact]
    public void A_forgotten_device_is_out_with_all_it_alone_admitted_and_comes_back_with_nothing()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", [Grant.Run]);
        b.Admit(A.PublicKey, "a", []);
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        a.Forget(B.Id);
        Assert.Empty(a.Devices);
        a = Reopen(a, A);
        Assert.Empty(a.Devices);
        Sync(b, a);
        Assert.Empty(a.Devices);

        a.Admit(B.PublicKey, "b", []);
        Assert.Equal([B.Id, C.Id], a.Devices.Keys.Order().OrderBy(id => id == C.Id));
        Assert.Empty(a.Devices[B.Id].Grants);
    }

    [Fact]
    public void A_device_that_its_admitter_forgets_is_out_unless_another_admits_it()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(C.PublicKey, "c", []);
        b.Admit(D.PublicKey, "d", []);
        Sync(b, a);
        a.Admit(D.PublicKey, "d", []);
        b.Forget(C.Id);
        b.Forget(D.Id);
        Sync(b, a);
        Assert.False(a.IsAdmitted(C.PublicKey));
        Assert.True(a.IsAdmitted(D.PublicKey));
    }

    [Fact]
    public void Names_are_unique_here_and_can_be_changed()
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "box", []);
        a.Admit(C.PublicKey, "Box", []);
        Assert.Equal($"Box-{C.Id.ToString()[..4]}", a.Devices[C.Id].Name);
        a.Rename(C.Id, "gpu");
        Assert.Equal("gpu", a.Devices[C.Id].Name);
        Assert.Equal(MeshErrors.BadName, Code(() => a.Rename(C.Id, "BOX")));
        foreach (string bad in (string[])["", "all", "1a", "a b", "a@b", new string('a', 64)])
        {
            Assert.Equal(MeshErrors.BadName, Code(() => a.Rename(C.Id, bad)));
        }

        a.Admit(D.PublicKey, " 1 \n@", []);
        Assert.Equal("device", a.Devices[D.Id].Name);
        Assert.Equal("gpu", Reopen(a, A).Devices[C.Id].Name);
    }

    [Fact]
    public void A_last_entry_that_a_crash_cut_short_is_dropped_and_the_next_takes_its_place()
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "b", []);
        a.Admit(C.PublicKey, "c", []);
        Close(a);
        using (FileStream file = File.OpenWrite(PathOf(A)))
        {
            file.SetLength(file.Length - 5);
        }

        a = Open(A);
        Assert.Equal([B.Id], a.Devices.Keys);
        a.Admit(D.PublicKey, "d", []);
        a = Reopen(a, A);
        Assert.Equal(2, a.Devices.Count);
    }

    [Fact]
    public void A_flipped_bit_in_the_middle_is_damage_and_is_never_cut_away()
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "b", []);
        a.Admit(C.PublicKey, "c", []);
        Close(a);
        byte[] bytes = File.ReadAllBytes(PathOf(A));
        bytes[40] ^= 1;
        File.WriteAllBytes(PathOf(A), bytes);
        Assert.Equal(MeshErrors.RegistryInvalid, Code(() => Open(A)));
        Assert.Equal(bytes, File.ReadAllBytes(PathOf(A)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 1_000_000)]
    [InlineData(0, 2_000)]
    [InlineData(1, 2_000)]
    [InlineData(2, 1_000_000)]
    public void A_wrong_length_anywhere_is_damage_and_what_follows_is_never_cut_away(int entry, int length)
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "b", []);
        a.Admit(C.PublicKey, "c", []);
        a.Admit(D.PublicKey, "d", []);
        Close(a);
        byte[] bytes = File.ReadAllBytes(PathOf(A));
        int at = 0;
        for (; entry > 0; entry--)
        {
            at += sizeof(int) + BitConverter.ToInt32(bytes, at);
        }

        BitConverter.TryWriteBytes(bytes.AsSpan(at), length);
        File.WriteAllBytes(PathOf(A), bytes);
        Assert.Equal(MeshErrors.RegistryInvalid, Code(() => Open(A)));
        Assert.Equal(bytes, File.ReadAllBytes(PathOf(A)));
    }

    [Fact]
    public void Zeros_that_a_crash_left_behind_the_last_entry_are_dropped()
    {
        DeviceRegistry a = Open(A);
        a.Admit(B.PublicKey, "b", []);
        Close(a);
        long good = new FileInfo(PathOf(A)).Length;
        using (FileStream file = File.OpenWrite(PathOf(A)))
        {
            file.SetLength(good + 512);
        }

        a = Open(A);
        Assert.Equal([B.Id], a.Devices.Keys);
        Close(a);
        Assert.Equal(good, new FileInfo(PathOf(A)).Length);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_named()
    {
        Directory.CreateDirectory(PathOf(A));
        Assert.Equal(MeshErrors.RegistryFile, Code(() => Open(A)));
    }

    private static string Code(Action action) => Assert.Throws<MeshException>(action).Code;

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static IReadOnlyList<byte[]> Entries(DeviceRegistry registry) => registry.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue);

    private static void Sync(DeviceRegistry from, DeviceRegistry to) => to.Take(from.EntriesAfter(to.Heads(), int.MaxValue));

    private string PathOf(DeviceIdentity who, string? name = null) => Path.Combine(_directory, name ?? who.Id.ToString());

    private DeviceRegistry Open(DeviceIdentity who, string? name = null)
    {
        DeviceRegistry registry = DeviceRegistry.Open(PathOf(who, name), who, TimeProvider.System);
        _open.Add(registry);
        return registry;
    }

    private void Close(DeviceRegistry registry)
    {
        registry.Dispose();
        _open.Remove(registry);
    }

    private DeviceRegistry Reopen(DeviceRegistry registry, DeviceIdentity who)
    {
        Close(registry);
        return Open(who);
    }
}
