using System.Globalization;
using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Every ordered pair of NATs, over many seeds, in virtual time. <c>AGENTMESH_SEEDS</c> runs so many instead.</summary>
public sealed class NatGridTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly string[] Kinds = ["none", "full-cone", "address-restricted", "port-restricted", "symmetric", "sequential", "double", "double-symmetric"];

    private static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEEDS"), CultureInfo.InvariantCulture, out int asked) ? asked : 40;

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string a in Kinds)
            {
                foreach (string b in Kinds)
                {
                    all.Add(a, b);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Data_flows_at_once_and_directly_within_its_bar(string left, string right)
    {
        Bar bar = BarOf(left, right);
        var data = new List<TimeSpan>();
        var direct = new List<TimeSpan>();
        int seeds = Seeds;
        for (int seed = 1; seed <= seeds; seed++)
        {
            int delay = 5 + (seed * 7 % 60);
            using var pair = new RelayedPair(random => Nat(left, 1, random), random => Nat(right, 2, random), seed, delay: TimeSpan.FromMilliseconds(delay));
            var ladder = new SimLadder(pair, seed);
            pair.A.Write(5_000);
            ladder.Begin();
            TimeSpan? first = pair.Until(() => pair.B.Received == 5_000, 5 * Second);
            Assert.True(first <= 1.5 * Second, $"seed {seed}: data after {first}");
            data.Add(first.Value);
            TimeSpan? found = pair.Until(() => pair.AreDirect, bar.IsDirect ? 40 * Second : 10 * Second);
            Assert.True(bar.IsDirect || found is null, $"seed {seed}: direct after {found}, which nobody knows how to do");
            Assert.True(bar.IsDirect || ladder.Step == PunchStep.None, $"seed {seed}: still {ladder.Step}");
            direct.Add(found is { } time ? first.Value + time : TimeSpan.MaxValue);
            if (seed % 10 == 0)
            {
                pair.B.Write(50_000);
                pair.Run(5 * Second);
                Assert.Equal(50_000, pair.A.Received);
                Assert.Equal(found is not null, pair.AreDirect); // no going back and forth
            }
        }

        data.Sort();
        direct.Sort();
        TimeSpan at = direct[(int)(bar.Share * (direct.Count - 1))];
        output.WriteLine($"{left} x {right}, seeds 1 to {seeds}: data p95 {Ms(data)}, direct p50 {Ms(direct, 0.5)} p95 {Ms(direct)}");
        Assert.True(!bar.IsDirect || at <= bar.Within, $"direct after {at}, later than {bar.Within}");
    }

    [Fact]
    public void Two_behind_one_box_that_lets_none_back_in_speak_over_their_own_network()
    {
        for (int seed = 1; seed <= 25; seed++)
        {
            SimNat box = new(NatType.Symmetric, IPAddress.Parse("203.0.113.1"), new Random(seed));
            using var pair = new RelayedPair(_ => box, _ => box, seed) { AreNeighbours = true };
            pair.A.Write(100);
            new SimLadder(pair, seed).Begin();
            Assert.NotNull(pair.Until(() => pair.AreDirect, 2 * Second));
            Assert.Equal(pair.B.AtHome, pair.A.Connection.Remote);
        }
    }

    [Fact]
    public void Addresses_that_one_side_cannot_reach_do_not_keep_the_others_from_being_found()
    {
        IPEndPoint[] ipv6 = [.. Enumerable.Range(1, 20).Select(host => new IPEndPoint(IPAddress.Parse($"2001:db8::{host}"), 14_592))];
        for (int seed = 1; seed <= 25; seed++)
        {
            using var pair = new RelayedPair(NatType.PortRestricted, NatType.PortRestricted, seed);
            pair.A.Write(100);
            new SimLadder(pair, seed, ipv6).Begin();
            Assert.NotNull(pair.Until(() => pair.AreDirect, 5 * Second));
        }
    }

    [Fact]
    public void A_port_that_others_take_meanwhile_costs_a_round_and_not_the_path()
    {
        int direct = 0;
        for (int seed = 1; seed <= 100; seed++)
        {
            using var pair = new RelayedPair(NatType.SymmetricSequential, NatType.SymmetricSequential, seed);
            var others = new Random(seed);
            pair.A.Write(100);
            new SimLadder(pair, seed).Begin();
            for (int i = 0; i < 80; i++)
            {
                pair.At(pair.Now + (TimeSpan.FromSeconds(0.1) * i * 2 * others.NextDouble()), () => pair.A.Nat.Take(1));
            }

            direct += pair.Until(() => pair.AreDirect, 10 * Second) is null ? 0 : 1;
        }

        output.WriteLine($"{direct} of 100 with ten ports a second taken by others");
        Assert.InRange(direct, 60, 100);
    }

    [Fact]
    public void Guessing_is_bounded_and_does_not_disturb_what_the_relay_carries()
    {
        IPAddress victim = IPAddress.Parse("198.51.100.66");
        using var pair = new RelayedPair(NatType.PortRestricted, NatType.Symmetric, 1);
        pair.A.Write(1_000);
        for (int i = 0; i < 20; i++)
        {
            pair.A.Connection.Guess(PortSteps.AtRandom(PortGuesser.ProbesMax, new Crypto.SeededEntropy(i)).Select(port => new IPEndPoint(victim, port)), pair.Now);
            TimeSpan before = pair.Now;
            int sent = Sent();
            pair.A.Write(2_000);
            pair.Run(5 * Second);
            Assert.InRange(Sent() - sent, 0, (int)(100 * (pair.Now - before).TotalSeconds) + 1);
        }

        Assert.Equal(PortGuesser.ProbesMax, Sent());
        Assert.Equal(41_000, pair.B.Received);

        int Sent() => pair.Sent.Where(each => each.Key.Address.Equals(victim)).Sum(each => each.Value);
    }

    private static SimNat Nat(string kind, int number, Random random)
    {
        IPAddress outside = IPAddress.Parse($"203.0.113.{number}");
        SimNat Carrier(NatType type) => new(type, outside, random);
        return kind switch
        {
            "none" => Carrier(NatType.None),
            "full-cone" => Carrier(NatType.FullCone),
            "address-restricted" => Carrier(NatType.AddressRestricted),
            "port-restricted" => Carrier(NatType.PortRestricted),
            "symmetric" => Carrier(NatType.Symmetric),
            "sequential" => Carrier(NatType.SymmetricSequential),
            "double" => new SimNat(NatType.PortRestricted, IPAddress.Parse("100.64.0.7"), random, Carrier(NatType.PortRestricted)),
            _ => new SimNat(NatType.PortRestricted, IPAddress.Parse("100.64.0.7"), random, Carrier(NatType.Symmetric)),
        };
    }

    private static Bar BarOf(string left, string right)
    {
        bool leftRandom = left is "symmetric" or "double-symmetric", rightRandom = right is "symmetric" or "double-symmetric";
        bool leftHard = leftRandom || left == "sequential", rightHard = rightRandom || right == "sequential";
        return (leftHard, rightHard) switch
        {
            (true, true) => leftRandom || rightRandom ? new Bar(IsDirect: false, default, 1) : new Bar(true, 8 * Second, 1),
            (false, false) => new Bar(true, 5 * Second, 1),
            _ => !(leftHard ? right : left).StartsWith('p') && !(leftHard ? right : left).StartsWith('d') ? new Bar(true, 5 * Second, 1)
                : leftRandom || rightRandom ? new Bar(true, 20 * Second, 0.95) : new Bar(true, 8 * Second, 1),
        };
    }

    private static string Ms(List<TimeSpan> times, double share = 0.95) =>
        times[(int)(share * (times.Count - 1))] is var time && time == TimeSpan.MaxValue ? "never" : $"{time.TotalMilliseconds:0} ms";

    private sealed record Bar(bool IsDirect, TimeSpan Within, double Share);
}
