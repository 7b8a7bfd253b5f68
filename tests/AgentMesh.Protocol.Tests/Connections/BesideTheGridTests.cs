using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What stands beside the grid of all pairs of NATs, which is scenario 1 of docs/scenarios.md.</summary>
public sealed class BesideTheGridTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
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
            pair.A.Connection.Search.Guess(PortSteps.AtRandom(PortGuesser.ProbesMax, new Crypto.SeededEntropy(i)).Select(port => new IPEndPoint(victim, port)), pair.Now);
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
}
