using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests.Registry;

/// <summary>A, where introducing needs a grant, has B; B admits others.</summary>
public sealed class IntroductionTests : IDisposable
{
    private static readonly DeviceIdentity A = Identity(1), B = Identity(2), C = Identity(3), D = Identity(4);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-introduce-").FullName;
    private readonly List<DeviceRegistry> _open = [];

    public void Dispose()
    {
        _open.ForEach(registry => registry.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void The_word_of_a_device_lets_others_in_only_with_the_grant_and_what_it_said_before_counts_then()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        Assert.Equal([B.Id], a.Devices.Keys);

        a.SetGrants(B.Id, [Grant.Introduce]);
        Assert.Equal(B.Id, a.Devices[C.Id].AdmittedBy);
        Assert.Empty(a.Devices[C.Id].Grants);
    }

    [Fact]
    public void Who_was_introduced_introduces_nobody_without_a_grant_of_its_own()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry c = Open(C);
        c.Admit(B.PublicKey, "b", []);
        c.Admit(D.PublicKey, "d", []);
        b.Admit(C.PublicKey, "c", []);
        a.SetGrants(B.Id, [Grant.Introduce]);
        Sync(b, a);
        Sync(c, a);
        Assert.Equal(Sorted(B, C), a.Devices.Keys.Order());

        a.SetGrants(C.Id, [Grant.Introduce]);
        Assert.Equal(C.Id, a.Devices[D.Id].AdmittedBy);
    }

    [Fact]
    public void Who_may_introduce_no_more_leaves_those_in_that_it_introduced_unless_they_are_to_go()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        a.SetGrants(B.Id, [Grant.Introduce]);
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        a.SetGrants(C.Id, [Grant.Run]);
        a.SetGrants(B.Id, []);
        RegisteredDevice kept = a.Devices[C.Id];
        Assert.Equal((A.Id, "c"), (kept.AdmittedBy, kept.Name));
        Assert.Equal([Grant.Run], kept.Grants);

        a.SetGrants(B.Id, [Grant.Introduce]);
        b.Admit(D.PublicKey, "d", []);
        Sync(b, a);
        a.SetGrants(B.Id, [], dropIntroduced: true);
        Assert.Equal(Sorted(B, C), a.Devices.Keys.Order());
    }

    [Fact]
    public void One_device_introduces_a_hundred_and_who_goes_makes_room()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        a.SetGrants(B.Id, [Grant.Introduce]);
        DeviceIdentity[] many = [.. Enumerable.Range(0, DeviceRegistry.IntroducedMax + 1).Select(n => Identity((byte)(100 + n)))];
        foreach (DeviceIdentity one in many)
        {
            b.Admit(one.PublicKey, "many", []);
        }

        Sync(b, a);
        Assert.Equal(1 + DeviceRegistry.IntroducedMax, a.Devices.Count);
        Assert.DoesNotContain(many[^1].Id, a.Devices.Keys);
        b.Forget(many[0].Id);
        Sync(b, a);
        Assert.Contains(many[^1].Id, a.Devices.Keys);
    }

    [Fact]
    public void A_registry_that_is_begun_now_asks_for_the_grant_and_goes_on_to_after_a_restart()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both(Introductions.AsBegun);
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        Assert.Equal([B.Id], a.Devices.Keys);

        Close(a);
        a = Open(A, Introductions.AsBegun);
        Assert.Equal([B.Id], a.Devices.Keys);
        a.SetGrants(B.Id, [Grant.Introduce]);
        Assert.Equal(Sorted(B, C), a.Devices.Keys.Order());
    }

    [Fact]
    public void A_registry_of_a_version_before_that_lets_everybody_introduce_as_it_did()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both(Introductions.Everyone);
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        Close(a);
        a = Open(A, Introductions.AsBegun);
        a.Rename(B.Id, "other");
        Assert.Equal(Sorted(B, C), a.Devices.Keys.Order());
        Assert.Empty(a.Refused);

        Close(a);
        Assert.Equal([B.Id], Open(A, Introductions.Granted).Devices.Keys);
    }

    [Fact]
    public void One_that_was_set_to_everyone_when_it_was_begun_stays_so_and_one_that_was_set_to_granted_too()
    {
        foreach ((Introductions first, int devices) in new[] { (Introductions.Everyone, 2), (Introductions.Granted, 1) })
        {
            (DeviceRegistry a, DeviceRegistry b) = Both(first);
            b.Admit(C.PublicKey, "c", []);
            Sync(b, a);
            Close(a);
            a = Open(A, Introductions.AsBegun);
            Assert.Equal(devices, a.Devices.Count);
            Close(a);
            Close(b);
            File.Delete(PathOf(A));
            File.Delete(PathOf(B));
        }
    }

    [Fact]
    public void Another_key_changes_nothing_of_it_also_when_it_is_the_first_thing_that_happens()
    {
        DeviceRegistry b = Open(B), a = Open(A, Introductions.AsBegun);
        DeviceIdentity next = A.CreateSuccessor(new Filled(9));
        a.Succeed(next);
        a.Admit(B.PublicKey, "b", []);
        b.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        Assert.Equal([B.Id], a.Devices.Keys);
        Close(a);
        a = DeviceRegistry.Open(PathOf(A), next, TimeProvider.System, introductions: Introductions.AsBegun);
        _open.Add(a);
        Assert.Equal([B.Id], a.Devices.Keys);
    }

    [Fact]
    public void Who_asks_for_the_grant_is_believed_by_others_as_before()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both(Introductions.AsBegun);
        a.SetGrants(B.Id, []);
        b.SetGrants(A.Id, [Grant.Introduce]);
        a.Admit(C.PublicKey, "c", []);
        Sync(a, b);
        Assert.Equal(Sorted(A, C), b.Devices.Keys.Order());
        Assert.Equal(0, b.RefusedEntries);
    }

    [Fact]
    public void Whom_a_device_lets_in_that_may_not_is_told_until_it_is_in_or_not_let_in_there_any_more()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        b.Admit(C.PublicKey, "c", []);
        b.Admit(D.PublicKey, "d", []);
        Sync(b, a);
        IntroducedDevice refused = a.Refused[C.Id];
        Assert.Equal((C.PublicKey, "c", B.Id), (refused.Key, refused.Name, refused.By));
        Assert.Equal(Sorted(C, D), a.Refused.Keys.Order());

        b.Forget(D.Id);
        Sync(b, a);
        Assert.Equal([C.Id], a.Refused.Keys);
        a.Admit(C.PublicKey, "c", []);
        Assert.Empty(a.Refused);

        // Who was put out here is not told of again.
        a.Forget(C.Id);
        Assert.Empty(a.Refused);
    }

    [Fact]
    public void Nobody_is_told_of_who_is_in_by_another_word_or_beyond_the_number_of_one_introducer()
    {
        (DeviceRegistry a, DeviceRegistry b) = Both();
        DeviceRegistry d = Open(D);
        a.Admit(D.PublicKey, "d", [Grant.Introduce]);
        b.Admit(C.PublicKey, "c", []);
        d.Admit(C.PublicKey, "c", []);
        Sync(b, a);
        Sync(d, a);
        Assert.Equal(D.Id, a.Devices[C.Id].AdmittedBy);
        Assert.Empty(a.Refused);

        foreach (int n in Enumerable.Range(0, DeviceRegistry.IntroducedMax + 5))
        {
            b.Admit(Identity((byte)(100 + n)).PublicKey, "many", []);
        }

        Sync(b, a);
        Assert.InRange(a.Refused.Count, 1, DeviceRegistry.IntroducedMax);
    }

    private (DeviceRegistry A, DeviceRegistry B) Both(Introductions introductions = Introductions.Granted)
    {
        DeviceRegistry a = Open(A, introductions), b = Open(B, introductions);
        b.Admit(A.PublicKey, "a", []);
        a.Admit(B.PublicKey, "b", []);
        return (a, b);
    }

    private static IEnumerable<DeviceId> Sorted(params DeviceIdentity[] devices) => devices.Select(device => device.Id).Order();

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static void Sync(DeviceRegistry from, DeviceRegistry to) => to.Take(from.EntriesAfter(to.Heads(), int.MaxValue));

    private string PathOf(DeviceIdentity who) => Path.Combine(_directory, who.Id.ToString());

    private void Close(DeviceRegistry registry)
    {
        _open.Remove(registry);
        registry.Dispose();
    }

    private DeviceRegistry Open(DeviceIdentity who, Introductions introductions = Introductions.Granted)
    {
        DeviceRegistry registry = DeviceRegistry.Open(PathOf(who), who, TimeProvider.System, introductions: introductions);
        _open.Add(registry);
        return registry;
    }
}
