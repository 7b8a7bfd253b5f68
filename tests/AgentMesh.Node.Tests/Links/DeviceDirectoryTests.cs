using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Tests.Remembered;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Tests.Links;

public sealed class DeviceDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("am-directory-").FullName;
    private readonly DeviceId _device = DeviceIdentity.Create(SystemEntropy.Instance).Id;
    private readonly DeviceDirectory _directory;

    public DeviceDirectoryTests() => _directory = new DeviceDirectory(Path.Combine(_root, "devices.json"), TimeProvider.System);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void An_announced_address_counts_however_many_are_known()
    {
        _directory.Told(_device, Enumerable.Range(1, 100).Select(port => new IPEndPoint(IPAddress.Parse("192.0.2.1"), port)));
        var fresh = new IPEndPoint(IPAddress.Parse("192.0.2.77"), 14590);

        Assert.True(_directory.Announced(_device, fresh));

        Assert.Equal(fresh, _directory.Addresses(_device)[0]);
        Assert.Equal(24, _directory.Addresses(_device).Count); // an attempt takes 32: others are to fit in while it runs
        Assert.False(_directory.Announced(_device, fresh));
    }

    [Fact]
    public void A_link_local_address_survives_the_file()
    {
        var at = IPEndPoint.Parse("[fe80::1%3]:14590");
        _directory.Announced(_device, at);
        _directory.Save();

        Assert.Equal(at, Assert.Single(new DeviceDirectory(Path.Combine(_root, "devices.json"), TimeProvider.System).Addresses(_device)));
    }

    [Fact]
    public void What_worked_is_not_pushed_out_by_what_was_said_and_survives_the_file()
    {
        IPEndPoint far = IPEndPoint.Parse("203.0.113.7:5000"), near = IPEndPoint.Parse("192.168.1.7:14590");
        _directory.Found(_device, far);
        _directory.Found(_device, near);
        var hello = new DeviceHello("gpu", "linux", "gpu", "1", []);
        for (int net = 1; net < 4; net++)
        {
            _directory.Heard(_device, hello, Enumerable.Range(1, 30).Select(host => IPEndPoint.Parse($"172.{16 + net}.0.{host}:14590")));
        }

        Assert.Equal([near, far], _directory.Addresses(_device).Take(2));
        Assert.Equal([near, far], Again().Addresses(_device).Take(2));
        Assert.Equal([near, far], Again().Good(_device).Select(good => good.Address));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("no json", 1)]
    [InlineData("[]", 1)]
    [InlineData("{\"GOOD\": null}", 1)]
    [InlineData("{\"GOOD\": {\"addresses\": null, \"hello\": {\"name\": null}}}", 0)]
    [InlineData("{\"GOOD\": {\"addresses\": [null, \"\", \"1.2.3.4:99999\"], \"relayed\": [null, {\"address\": null}], \"seenAt\": [null], \"good\": [null, {\"address\": null}]}}", 0)]
    [InlineData("{\"GOOD\": {\"addresses\": 7}, \"nobody\": {\"addresses\": []}}", 2)]
    [InlineData("{\"GOOD\": {\"lastSeen\": \"yesterday\"}}", 1)]
    [InlineData("{\"\\ud800\": {\"addresses\": []}}", 1)]
    [InlineData("{\"GOOD\": {\"relays\": [null, {}, {\"device\": \"nobody\"}]}}", 0)]
    public void A_damaged_file_is_left_out_and_counted(string text, int ignored)
    {
        string file = Path.Combine(_root, "devices.json");
        File.WriteAllText(file, text.Replace("GOOD", _device.ToString(), StringComparison.Ordinal));

        DeviceDirectory directory = Again();

        Assert.Equal(ignored, directory.File.Ignored);
        Assert.Empty(directory.Addresses(_device));
        directory.Found(_device, IPEndPoint.Parse("192.0.2.1:1"));
        Assert.Single(Again().Addresses(_device));
    }

    [Fact]
    public void An_entry_that_is_damaged_takes_no_other_with_it()
    {
        DeviceId other = DeviceIdentity.Create(SystemEntropy.Instance).Id;
        File.WriteAllText(Path.Combine(_root, "devices.json"), $$"""{ "{{_device}}": { "addresses": 7 }, "{{other}}": { "addresses": ["192.0.2.1:14590"] } }""");

        Assert.Equal("192.0.2.1:14590", Assert.Single(Again().Addresses(other)).ToString());
    }

    [Fact]
    public void A_damaged_file_is_kept_beside_the_next_one()
    {
        string file = Path.Combine(_root, "devices.json"), damaged = $$"""{"{{_device}}": {"addresses": ["192.0.2.1:14590"]}, "nobody": 7}""";
        File.WriteAllText(file, damaged);

        Again().Found(_device, IPEndPoint.Parse("192.0.2.2:14590"));

        Assert.Equal(damaged, File.ReadAllText(file + ".damaged"));
        Assert.Equal(0, Again().File.Ignored);
    }

    [Fact]
    public void Who_relayed_survives_the_file_the_latest_first_and_at_most_four()
    {
        var clock = new SetClock();
        var directory = new DeviceDirectory(Path.Combine(_root, "devices.json"), clock);
        DeviceId[] relays = [.. Enumerable.Range(0, 6).Select(_ => DeviceIdentity.Create(SystemEntropy.Instance).Id)];
        foreach (DeviceId relay in relays.Append(relays[3]))
        {
            clock.Now += TimeSpan.FromMinutes(1);
            directory.RelayedBy(_device, relay);
        }

        Assert.Equal([relays[3], relays[5], relays[4], relays[2]], new DeviceDirectory(Path.Combine(_root, "devices.json"), clock).Relays(_device).Select(relay => relay.Device));
    }

    [Fact]
    public void An_address_that_worked_goes_when_another_worked_long_after_it()
    {
        var clock = new SetClock();
        var directory = new DeviceDirectory(Path.Combine(_root, "devices.json"), clock);
        IPEndPoint old = IPEndPoint.Parse("203.0.113.7:5000"), fresh = IPEndPoint.Parse("203.0.113.8:5000");
        directory.Found(_device, old);
        clock.Now += TimeSpan.FromDays(400);
        Assert.Equal(old, new DeviceDirectory(Path.Combine(_root, "devices.json"), clock).Good(_device).Single().Address);

        directory.Found(_device, fresh);

        Assert.Equal(fresh, new DeviceDirectory(Path.Combine(_root, "devices.json"), clock).Good(_device).Single().Address);
    }

    [Fact]
    public void Another_device_that_calls_an_address_a_relays_does_not_take_it_from_what_worked_and_the_device_itself_does()
    {
        IPEndPoint worked = IPEndPoint.Parse("203.0.113.7:5000");
        _directory.Found(_device, worked);

        _directory.HeardRelayed(_device, [new RelayedPlace(worked, "turn.example.org")], null);
        Assert.Equal([worked], _directory.Addresses(_device));

        _directory.HeardRelayed(_device, [new RelayedPlace(worked, "turn.example.org")], []);
        Assert.Empty(_directory.Addresses(_device));
        Assert.Empty(_directory.Good(_device));
    }

    [Fact]
    public void Of_too_many_devices_that_goes_which_is_not_in_the_mesh()
    {
        DeviceIdentity[] mesh = [.. Enumerable.Range(0, 3).Select(_ => DeviceIdentity.Create(SystemEntropy.Instance))];
        var directory = new DeviceDirectory(Path.Combine(_root, "small.json"), TimeProvider.System, most: 3) { Admitted = mesh.ToDictionary(each => each.Id, each => each.PublicKey) };
        IPEndPoint at = IPEndPoint.Parse("192.0.2.1:14590");
        foreach (DeviceId id in new[] { mesh[0].Id, _device, mesh[1].Id, mesh[2].Id, DeviceIdentity.Create(SystemEntropy.Instance).Id })
        {
            directory.Found(id, at);
        }

        Assert.Equal(mesh.Select(each => each.Id).Order(), directory.Known.Order());
    }

    private DeviceDirectory Again() => new(Path.Combine(_root, "devices.json"), TimeProvider.System);
}
