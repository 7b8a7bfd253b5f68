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

    private (DeviceRegistry A, DeviceRegistry B) Both()
    {
        DeviceRegistry a = Open(A), b = Open(B);
        b.Admit(A.PublicKey, "a", []);
        a.Admit(B.PublicKey, "b", []);
        return (a, b);
    }

    private static IEnumerable<DeviceId> Sorted(params DeviceIdentity[] devices) => devices.Select(device => device.Id).Order();

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private static void Sync(DeviceRegistry from, DeviceRegistry to) => to.Take(from.EntriesAfter(to.Heads(), int.MaxValue));

    private DeviceRegistry Open(DeviceIdentity who)
    {
        DeviceRegistry registry = DeviceRegistry.Open(Path.Combine(_directory, who.Id.ToString()), who, TimeProvider.System, introductions: Introductions.Granted);
        _open.Add(registry);
        return registry;
    }

    private sealed class Filled(byte fill) : IEntropy
    {
        public void Fill(Span<byte> destination) => destination.Fill(fill);
    }
}
