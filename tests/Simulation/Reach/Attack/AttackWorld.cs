using System.Net;
using AgentMesh.Protocol.Connections;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Everything that somebody does who may send what he likes to whom he likes, and through whose hands datagrams pass: at the handshake, on the way, as a
/// relay, as a beacon, and with codes that he does not know.
/// </summary>
internal sealed partial class AttackWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const int ProbesMax = 9;
    private const int AmplificationMax = 3;

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.Within(Connected, Seconds(1), share: 1)];

    public override void Run()
    {
        Handshakes();
        Resets();
        OnTheWay();
        AsRelay();
        AsBeacon();
        Codes();
    }

    /// <summary>What was sent where nobody has proven to be.</summary>
    private void CheckStrangers(HostileWire wire, string part)
    {
        foreach (HostileWire.Side side in new[] { wire.A, wire.B })
        {
            foreach ((IPEndPoint to, (int count, long bytes)) in side.SentTo.Where(sent => !sent.Key.Equals(side.Other.Own)))
            {
                Require(count <= ProbesMax, $"{part}: {count} datagrams to {to}, which has proven nothing");
                long came = side.CameFrom.GetValueOrDefault(to);
                Require(came == 0 || bytes <= AmplificationMax * came, $"{part}: {bytes} bytes to {to}, from which {came} came");
                Measure($"probes to an address that proves nothing, {part}", count);
            }
        }
    }

    private void CheckAlive(HostileWire wire, string part, ulong bytesToA, ulong bytesToB)
    {
        Require(wire.A.Received == bytesToA && wire.B.Received == bytesToB, $"{part}: {wire.A.Received} of {bytesToA} and {wire.B.Received} of {bytesToB} bytes came");
        foreach (HostileWire.Side side in new[] { wire.A, wire.B })
        {
            Require(side.Connection.IsOpen, $"{part}: the session ended: {side.Connection.End}");
            Require(side.Connection.Path.Sent.Next - side.Connection.Path.Sent.First <= 2_000, $"{part}: what was sent is remembered without bound");
            Require(side.Connection.Streams.Count <= 4, $"{part}: {side.Connection.Streams.Count} streams");
        }

        Steps += wire.Datagrams;
    }

    private byte[] Junk(int length)
    {
        byte[] bytes = new byte[length];
        Random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Damaged(byte[] datagram)
    {
        byte[] bytes = Random.Next(3) switch
        {
            0 => datagram[..Random.Next(datagram.Length)],
            1 => [.. datagram, .. Junk(1 + Random.Next(20))],
            _ => [.. datagram],
        };
        for (int flips = 1 + Random.Next(3); flips > 0 && bytes.Length > 0; flips--)
        {
            bytes[Random.Next(bytes.Length)] ^= (byte)(1 << Random.Next(8));
        }

        return bytes;
    }

    private static IPEndPoint Victim(int number, int port = 53) => new(IPAddress.Parse($"203.0.113.{100 + number}"), port);
}
