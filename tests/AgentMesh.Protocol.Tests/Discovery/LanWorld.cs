using System.Net;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery;

/// <summary>A listener that admits some devices, and a clock.</summary>
internal sealed class LanWorld
{
    public static readonly IPAddress Source = IPAddress.Parse("192.0.2.7");

    public LanWorld(int devices = 2)
    {
        Devices = [.. Enumerable.Range(1, devices).Select(seed => DeviceIdentity.Create(new SeededEntropy(seed)))];
        Listener.Admit(Devices.Select(device => device.PublicKey));
    }

    public LanListener Listener { get; } = new();

    public IReadOnlyList<DeviceIdentity> Devices { get; }

    public TimeSpan Monotonic { get; set; } = TimeSpan.FromHours(1);

    public DateTimeOffset Wall { get; set; } = new(2026, 11, 21, 9, 0, 0, TimeSpan.Zero);

    public LanSighting Sighting { get; private set; }

    public void Pass(TimeSpan time)
    {
        Monotonic += time;
        Wall += time;
    }

    public byte[] Announcement(int device = 0, bool wantsAnswer = false, DateTimeOffset? at = null) => new LanAnnouncer(Devices[device]).Announce(Source, 14590, wantsAnswer, at ?? Wall);

    public LanOutcome Give(ReadOnlySpan<byte> datagram, IPAddress? source = null)
    {
        LanOutcome outcome = Listener.Handle(datagram, source ?? Source, new MeshInstant(Monotonic, Wall), out LanSighting sighting);
        Sighting = sighting;
        return outcome;
    }
}
