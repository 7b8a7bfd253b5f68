using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

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

    private DeviceDirectory Again() => new(Path.Combine(_root, "devices.json"), TimeProvider.System);
}
