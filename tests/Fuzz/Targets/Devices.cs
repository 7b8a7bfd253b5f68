using System.Net;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Fuzz.Targets;

/// <summary>Two devices, a moment and an address: the same in every run.</summary>
internal static class Devices
{
    public static readonly DateTimeOffset Wall = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly MeshInstant Now = new(TimeSpan.FromSeconds(1_000), Wall);

    public static readonly IPEndPoint Place = new(IPAddress.Parse("192.0.2.7"), 14590);

    public static readonly IPEndPoint Place6 = new(IPAddress.Parse("2001:db8::7"), 14590);

    public static DeviceIdentity Own { get; } = DeviceIdentity.Create(new SeededEntropy(1));

    public static DeviceIdentity Other { get; } = DeviceIdentity.Create(new SeededEntropy(2));
}
