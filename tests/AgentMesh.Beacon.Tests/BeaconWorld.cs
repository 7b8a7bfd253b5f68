using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Beacon.Tests;

/// <summary>A beacon's decisions and devices that use it, with a clock that only the test moves.</summary>
internal sealed class BeaconWorld
{
    public BeaconWorld(BeaconLimits? limits = null, int seed = 1)
    {
        Ids = new ChannelIds([9], new SeededEntropy(seed));
        Core = new BeaconCore(limits ?? new BeaconLimits(), Ids, Now);
    }

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(1000);

    public ChannelIds Ids { get; }

    public BeaconCore Core { get; }

    public static DeviceId Device(int number) => DeviceIdentity.Create(new SeededEntropy(1000 + number)).Id;

    public static IPEndPoint Place(int number) => new(new IPAddress([203, 0, 113, (byte)number]), 4000 + number);

    public Guest Enter(int number) => Core.TryEnter(Device(number), Place(number), Now)!;

    public bool Hello(Guest guest, params int[] wanted) => Core.Handle(guest, new BeaconFrame(BeaconFrameType.Hello, Devices: [.. wanted.Select(Device)]), Now);

    public bool Meet(Guest guest, params UInt128[] meetings) => Core.Handle(guest, new BeaconFrame(BeaconFrameType.Hello, Devices: [], Meetings: meetings), Now);

    /// <summary>What was said to it since the last time.</summary>
    public static IReadOnlyList<BeaconFrame> Said(Guest guest)
    {
        BeaconFrame[] said = [.. guest.Outbox];
        guest.Outbox.Clear();
        return said;
    }

    public static IReadOnlyList<BeaconFrameType> Types(Guest guest) => [.. Said(guest).Select(frame => frame.Type)];

    public static byte[] Envelope(ulong channel, int bytes = 100)
    {
        byte[] envelope = new byte[RelayEnvelope.HeaderBytes + bytes];
        RelayEnvelope.Write(envelope, channel, new byte[bytes]);
        return envelope;
    }

    public int Relay(byte[] envelope, IPEndPoint from, out IPEndPoint to) => Core.Relay(envelope, from, Now, out to);

    /// <summary>Two devices that have met.</summary>
    public (Guest One, Guest Two) Meet(int one = 1, int two = 2)
    {
        Guest first = Enter(one), second = Enter(two);
        Hello(first, two);
        Hello(second, one);
        Said(first);
        Said(second);
        return (first, second);
    }
}
