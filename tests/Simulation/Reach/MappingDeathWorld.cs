using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Ten minutes behind a NAT that takes ports back after 30 s of silence and at an age of 60 s, and at times gives everything another port and address without a word. Bytes
/// flow in one direction, in the other, or in both, in half of the worlds with silence now and then that is longer than ports live; the other side is open, lets in only whom
/// it has sent to, or has a relay beside it. What is said first after a silence in which the port has ended is lost until the device behind the NAT speaks, at the next
/// keepalive, unless there is a relay.
/// </summary>
internal sealed partial class MappingDeathWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const int Minutes = 10;
    private const int WriteBytes = 1_500;
    private const string Standstill = "standstill, s";
    private const string Known = "standstill once the life of ports is known, s";
    private const string AfterSilence = "standstill after silence, s";

    private static readonly TimeSpan KeepAlive = new ConnectionSettings().KeepAlive;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.Within(Known, Seconds(0.5)), Bar.Within(Standstill, Seconds(0.8)), Bar.Within(AfterSilence, Seconds(0.8)), .. BarsAtRest];

    public override void Run()
    {
        bool isOpen = Seed % 3 != 0, rebinds = Seed % 2 == 0, hasRelay = !isOpen || Chance(0.5);
        int direction = Random.Next(3);
        var nat = new ShortNat(Seconds(30), Seconds(60), new Random(Seed));
        var direct = new Way("203.0.113.1:1", "192.0.2.2:5000", 5 + Random.Next(60)) { Nat = nat, IsFilteredAtB = !isOpen };
        using var pair = hasRelay ? new WaysPair(Seed, direct, WaysPair.Relay(7, 20 + Random.Next(60))) : new WaysPair(Seed, direct);
        if (hasRelay)
        {
            pair.OfferRelays();
        }

        bool isSilentAtTimes = Chance(0.5);
        Note($"{(isOpen ? "open" : "filtered")}, {(rebinds ? "rebinds" : "as it says")}, {(hasRelay ? "relay" : "alone")}, direction {direction}, {(isSilentAtTimes ? "at times" : "always")}, {direct.Delay}");
        TimeSpan rebindAt = rebinds ? Between(Seconds(5), Seconds(200)) : TimeSpan.MaxValue, start = pair.Now, punchAt = TimeSpan.Zero;
        TimeSpan silentAt = isSilentAtTimes ? start + Between(Seconds(20), Seconds(120)) : TimeSpan.MaxValue, speaksAt = TimeSpan.MaxValue;
        (TimeSpan atA, TimeSpan atB, TimeSpan longest, TimeSpan known, TimeSpan afterSilence) = (start, start, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        (long toA, long toB) = (0, 0);
        bool isLearned = false;
        for (int i = 0; i < Minutes * 600; i++)
        {
            (long a, long b) = (pair.A.Received, pair.B.Received);
            if (pair.Now >= silentAt)
            {
                speaksAt = pair.Now + Between(Seconds(35), Seconds(80));
                silentAt = speaksAt + Between(Seconds(20), Seconds(120));
            }

            bool isSilent = speaksAt != TimeSpan.MaxValue && pair.Now < speaksAt;
            if (direction != 0 && !isSilent)
            {
                pair.A.Write(WriteBytes);
                toB += WriteBytes;
            }

            if (direction != 1 && !isSilent)
            {
                pair.B.Write(WriteBytes);
                toA += WriteBytes;
            }

            pair.Run(Every);
            Require(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen, $"ended after {pair.Now - start}: {pair.A.Connection.End} {pair.B.Connection.End}");
            atA = pair.A.Received > a || a == toA ? pair.Now : atA;
            atB = pair.B.Received > b || b == toB ? pair.Now : atB;
            TimeSpan still = pair.Now - (atA < atB ? atA : atB);
            isLearned |= pair.A.Connection.Mapping.Absolute is not null;
            bool isAfterSilence = speaksAt != TimeSpan.MaxValue && pair.Now - speaksAt < KeepAlive + Seconds(1);
            longest = isAfterSilence && !hasRelay ? longest : Longer(longest, still);
            known = pair.A.Connection.Mapping.Absolute is not null && !rebinds && isOpen && !isAfterSilence ? Longer(known, still) : known;
            afterSilence = isAfterSilence ? Longer(afterSilence, still) : afterSilence;
            if (pair.Now - start >= rebindAt)
            {
                nat.Rebind();
                rebindAt += Between(Seconds(20), Seconds(200));
            }

            // As links do while a relay is in use.
            if (RelayAddress.IsRelay(pair.A.Connection.Remote) && pair.Now >= punchAt)
            {
                punchAt = pair.Now + Seconds(4);
                pair.A.Connection.Search.Probe([direct.B], pair.Now);
                pair.B.Connection.Search.Probe([nat.Out(0, pair.Now)], pair.Now);
            }
        }

        pair.Run(3);
        Require(longest <= Seconds(1), $"nothing for {longest}");
        Measure(Standstill, longest);
        if (isSilentAtTimes && hasRelay)
        {
            Measure(AfterSilence, afterSilence);
        }
        else if (isSilentAtTimes)
        {
            Require(afterSilence <= KeepAlive + Seconds(1), $"nothing for {afterSilence} after silence");
            Measure("standstill after silence without a relay, s", afterSilence);
        }

        if (!rebinds && isOpen)
        {
            Require(isLearned || isSilentAtTimes, "the life of ports was not learned");
            Measure(Known, known);
            Measure("sockets in 10 min", pair.A.Sockets.Count);
        }

        Require(pair.A.Received == toA && pair.B.Received == toB, $"{pair.A.Received} and {pair.B.Received} bytes of {toA} and {toB}");
        Steps += pair.Datagrams;
        RestAndLearn();
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
