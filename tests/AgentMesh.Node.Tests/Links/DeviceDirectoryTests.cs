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
}
