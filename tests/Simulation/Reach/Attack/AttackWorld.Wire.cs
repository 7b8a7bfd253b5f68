using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Connections;

namespace Simulation.Reach;

/// <content>On the way between two devices, as their relay, and as the beacon that tells them where to look.</content>
internal sealed partial class AttackWorld
{
    private const ulong Bytes = 150_000;

    private static readonly IPEndPoint PlaceA = IPEndPoint.Parse("198.51.100.1:14592");
    private static readonly IPEndPoint PlaceB = IPEndPoint.Parse("198.51.100.2:14592");

    /// <summary>Sees every datagram. Repeats them, changes copies, sends them on as if from elsewhere, and forges ends.</summary>
    private void OnTheWay()
    {
        const string part = "on the way";
        using var wire = new HostileWire(Seed, PlaceA, PlaceB) { Delay = Between(Seconds(0.002), Seconds(0.08)) };
        var recorded = new List<byte[]>();
        double repeats = 0.1 + (0.4 * Random.NextDouble()), lies = 0.02 + (0.2 * Random.NextDouble());
        long invented = 0, allocated = 0;
        bool isMoving = false;
        wire.Hands = flight =>
        {
            if (recorded.Count < 300)
            {
                recorded.Add([.. flight.Bytes]);
            }
            else
            {
                recorded[Random.Next(recorded.Count)] = [.. flight.Bytes];
            }

            var flights = new List<Flight>();

            // A newer packet from elsewhere is a reason to ask there: in some minutes of the attack all of one direction comes from a victim.
            bool isMoved = isMoving ? flight.To == wire.B : Chance(lies);
            flights.Add(isMoved ? flight with { From = Victim(Random.Next(3)) } : flight);
            if (Chance(repeats))
            {
                flights.Add(flight with { Bytes = [.. recorded[Random.Next(recorded.Count)]], From = Chance(0.5) ? flight.From : Victim(Random.Next(3)), After = flight.After + Between(TimeSpan.Zero, Seconds(1)) });
            }

            if (Chance(0.3))
            {
                flights.Add(flight with { Bytes = Damaged(flight.Bytes), After = flight.After * Random.NextDouble() });
            }

            if (Chance(0.3))
            {
                // An end, an acknowledgement or a reset, as well as it can be made without the keys.
                byte[] forged = Junk(38 + Random.Next(60));
                flight.Bytes.AsSpan(0, 13).CopyTo(forged);
                flights.Add(flight with { Bytes = forged, After = flight.After * Random.NextDouble() });
            }

            invented += flights.Count - 1;
            return flights;
        };
        for (int second = 2; second < 20; second += 4)
        {
            wire.At(TestSessions.Start + Seconds(second), () => isMoving = true);
            wire.At(TestSessions.Start + Seconds(second + 2), () => isMoving = false);
        }

        wire.A.Send(Bytes);
        wire.B.Send(Bytes);
        allocated = GC.GetAllocatedBytesForCurrentThread();
        bool isDone = wire.Until(() => wire.A.Received == Bytes && wire.B.Received == Bytes, Seconds(120));
        Require(isDone, $"{part}: {wire.A.Received} and {wire.B.Received} of {Bytes} bytes after two minutes");

        // He goes on while they have little to say.
        for (int i = 0; i < 40; i++)
        {
            wire.A.Send(200);
            wire.Run(Seconds(0.5));
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Weigh("bytes allocated for each datagram on the way", (double)allocated / wire.Datagrams);
        Require(wire.B.Received == Bytes + (40 * 200), $"{part}: {wire.B.Received} bytes came");
        CheckAlive(wire, part, wire.A.Received, wire.B.Received);
        CheckStrangers(wire, part);
        Count("datagrams invented", (int)invented);
    }

    /// <summary>Drops, holds back, repeats, cuts, changes, turns around and mixes what it is to pass on.</summary>
    private void AsRelay()
    {
        const string part = "as a relay";
        IPEndPoint channel = RelayAddress.Of(7);
        using var wire = new HostileWire(Seed, channel, channel) { Delay = Between(Seconds(0.005), Seconds(0.05)) };
        double drops = 0.1 * Random.NextDouble(), late = 0.3 * Random.NextDouble();
        byte[]? kept = null;
        wire.Hands = flight =>
        {
            byte[] before = kept ?? flight.Bytes;
            kept = [.. flight.Bytes];
            return Random.NextDouble() switch
            {
                double chance when chance < drops => [],
                double chance when chance < drops + 0.05 => [flight with { Bytes = Damaged(flight.Bytes) }],
                double chance when chance < drops + 0.1 => [flight with { To = flight.To.Other }, flight],
                double chance when chance < drops + 0.15 => [flight with { Bytes = before }, flight],
                double chance when chance < drops + 0.2 => [flight, flight with { Bytes = Junk(flight.Bytes.Length) }],

                // What the relay got, as if it had come directly from somewhere.
                double chance when chance < drops + 0.25 => [flight with { From = Victim(Random.Next(3), 1_000 + Random.Next(30)) }],
                double chance when chance < drops + 0.25 + late => [flight with { After = flight.After + Between(TimeSpan.Zero, Seconds(0.2)) }],
                _ => [flight],
            };
        };
        wire.A.Connection.SetRelays([new RelayWay(channel, IsByPeer: false)], wire.Now);
        wire.B.Connection.SetRelays([new RelayWay(channel, IsByPeer: false)], wire.Now);
        wire.A.Send(Bytes);
        wire.B.Send(Bytes);
        bool isDone = wire.Until(() => wire.A.Received == Bytes && wire.B.Received == Bytes, Seconds(300));
        Require(isDone, $"{part}: {wire.A.Received} and {wire.B.Received} of {Bytes} bytes after five minutes");
        CheckAlive(wire, part, Bytes, Bytes);
        CheckStrangers(wire, part);
    }

    /// <summary>Says that the other device is where a victim is, again and again, with every port; and confirms it when it is asked.</summary>
    private void AsBeacon()
    {
        const string part = "as a beacon";
        IPEndPoint channel = RelayAddress.Of(7);
        using var wire = new HostileWire(Seed, channel, channel);
        wire.A.Connection.SetRelays([new RelayWay(channel, IsByPeer: false)], wire.Now);
        wire.B.Connection.SetRelays([new RelayWay(channel, IsByPeer: false)], wire.Now);
        wire.A.Send(20_000);
        wire.B.Send(20_000);
        for (int second = 0; second < 60; second++)
        {
            IPEndPoint[] named = [.. Enumerable.Range(0, 40).Select(_ => Victim(Random.Next(20), 1 + Random.Next(Random.Next(2) == 0 ? 4 : 65_000)))];
            wire.At(TestSessions.Start + Seconds(second), () =>
            {
                wire.A.Connection.Search.Probe(named, wire.Now + Seconds(Random.NextDouble()));
                wire.B.Connection.Search.Probe(named.Reverse(), wire.Now);
            });
        }

        wire.Run(Seconds(60));
        CheckAlive(wire, part, 20_000, 20_000);
        CheckStrangers(wire, part);
        int toVictims = wire.A.SentTo.Where(sent => !sent.Key.Equals(channel)).Sum(sent => sent.Value.Count);
        Require(toVictims <= PathProber.CandidatesMax * ProbesMax, $"{part}: {toVictims} probes in a minute");
        Measure("probes in a minute of a lying beacon", toVictims);

        // With its own word for the address, a search of ports begins: so many, so fast, and not again.
        wire.A.SentTo.Clear();
        for (int attempt = 0; attempt < 3; attempt++)
        {
            wire.A.Connection.Search.Guess(PortSteps.AtRandom(PortGuesser.ProbesMax, new AgentMesh.Protocol.Tests.Crypto.SeededEntropy(Seed + attempt)).Select(port => Victim(50, port)), wire.Now);
            wire.Run(Seconds(25));
        }

        int guessed = wire.A.SentTo.Where(sent => sent.Key.Address.Equals(Victim(50).Address)).Sum(sent => sent.Value.Count);
        Require(guessed <= PortGuesser.ProbesMax, $"{part}: {guessed} guesses");
        Require(wire.A.SentTo.Values.Max(sent => sent.Count) >= 1 && wire.A.SentTo.Where(sent => sent.Key.Address.Equals(Victim(50).Address)).All(sent => sent.Value.Count <= ProbesMax), $"{part}: a port was asked more than {ProbesMax} times");
        Require(wire.A.Connection.IsOpen && wire.B.Connection.IsOpen, $"{part}: the session ended");
        Steps += guessed;
    }
}
