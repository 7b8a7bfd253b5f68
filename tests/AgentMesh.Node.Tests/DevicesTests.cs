using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Node.Services;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests;

public sealed class DevicesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-devices-").FullName;
    private readonly DeviceIdentity _self = DeviceIdentity.Create(SystemEntropy.Instance);
    private readonly DeviceIdentity _other = DeviceIdentity.Create(SystemEntropy.Instance);
    private readonly DeviceRegistry _registry;

    public DevicesTests() => _registry = DeviceRegistry.Open(Path.Combine(_directory, "registry"), _self, TimeProvider.System);

    [Fact]
    public void Another_device_with_the_own_name_is_told_apart_by_its_id()
    {
        _registry.Admit(_other.PublicKey, "Laptop", []);
        var devices = new Devices(_self.Id, "laptop", _registry, new DeviceDirectory(Path.Combine(_directory, "devices.json"), TimeProvider.System));
        string apart = $"Laptop-{_other.Id.ToString()[..4]}";

        Assert.Equal(["laptop", apart], devices.All.Select(device => device.Name));
        Assert.True(devices.One("@laptop").IsSelf);
        Assert.Equal(_other.Id, devices.One(apart).Id);
    }

    public void Dispose()
    {
        _registry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
