using System.Net;
using AgentMesh.Protocol.Identity;

namespace Simulation.Wire;

/// <summary>Who a device is on the simulated network: the same for the same number in every run.</summary>
internal sealed record SimIdentity(DevicePublicKey Key, IPEndPoint Address)
{
    public DeviceId Id { get; } = Key.Id;

    public static SimIdentity Of(int number)
    {
        byte[] key = new byte[DevicePublicKey.Size];
        key.AsSpan().Fill((byte)(number + 1));
        return new SimIdentity(new DevicePublicKey(key), new IPEndPoint(IPAddress.Parse($"10.0.0.{number + 1}"), 14590));
    }
}
