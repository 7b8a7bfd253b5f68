using System.Net;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Connections that begin over a relay: to a direct path where there is one, and back when it fails. In virtual time; each case over many seeds.</summary>
public sealed class RelayedConnectionTests
{
    private const int Seeds = 25;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<NatType2> Grid
    {
        get
        {
            var all = new TheoryData<NatType2>();
            foreach (NatType a in Enum.GetValues<NatType>())
            {
                foreach (NatType b in Enum.GetValues<NatType>())
                {
                    all.Add(new NatType2((int)a, (int)b));
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Grid))]
    public void Becomes_direct_where_the_NATs_let_it_and_works_over_the_relay_where_not(NatType2 types)
    {
        (NatType a, NatType b) = ((NatType)types.A, (NatType)types.B);
        bool isPossible = !(a >= NatType.Symmetric && b >= NatType.PortRestricted) && !(b >= NatType.Symmetric && a >= NatType.PortRestricted);
        for (int seed = 1; seed <= Seeds; seed++)
        {
            using var pair = new RelayedPair(a, b, seed);
            pair.A.Write(5_000);
            pair.Run(Second);
            Assert.Equal(5_000, pair.B.Received);
            pair.Punch();
            TimeSpan? direct = pair.Until(() => pair.AreDirect, 2 * Second);
            Assert.True(isPossible == direct.HasValue, $"seed {seed}: {a} x {b}: direct after {direct}");
            pair.B.Write(100_000);
            pair.Run(5 * Second);
            Assert.Equal(100_000, pair.A.Received);
            Assert.Equal(isPossible, pair.AreDirect); // no going back and forth
        }
    }

    [Fact]
    public void Becomes_direct_through_losses()
    {
        int direct = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            using var pair = new RelayedPair(NatType.PortRestricted, NatType.PortRestricted, seed, loss: 0.25);
            pair.A.Write(100);
            pair.Run(Second);
            pair.Punch();
            pair.Run(4 * Second);
            pair.Punch();
            direct += pair.Until(() => pair.AreDirect, 4 * Second) is null ? 0 : 1;
            pair.A.Write(50_000);
            pair.Run(20 * Second);
            Assert.Equal(50_100, pair.B.Received);
        }

        Assert.InRange(direct, Seeds - 2, Seeds);
    }

    [Fact]
    public void A_direct_path_that_dies_under_traffic_is_left_for_the_relay_within_two_seconds_and_nothing_is_lost()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            using RelayedPair pair = Direct(seed);
            pair.IsDirectCut = true;
            pair.A.Write(30_000);
            pair.B.Write(30_000);
            TimeSpan? over = pair.Until(() => !pair.A.IsDirect && !pair.B.IsDirect, 2 * Second);
            Assert.True(over is { } time && time <= 2 * Second, $"seed {seed}: {over}");
            pair.Run(3 * Second);
            Assert.Equal((30_000, 30_000), (pair.A.Received - 0, pair.B.Received - 1_000));
        }
    }

    [Fact]
    public void A_direct_path_that_dies_in_silence_is_left_when_the_next_keepalive_stays_unanswered()
    {
        using RelayedPair pair = Direct(1);
        pair.IsDirectCut = true;
        Assert.NotNull(pair.Until(() => !pair.A.IsDirect && !pair.B.IsDirect, 6 * Second));
        Assert.True(pair.A.Connection.IsOpen);
    }

    [Fact]
    public void After_the_way_back_a_direct_path_is_found_again()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            using RelayedPair pair = Direct(seed);
            pair.A.Nat.Forget();
            pair.B.Nat.Forget();
            pair.A.Write(1_000);
            pair.B.Write(1_000);
            Assert.NotNull(pair.Until(() => !pair.A.IsDirect && !pair.B.IsDirect, 3 * Second));
            pair.Punch();
            Assert.NotNull(pair.Until(() => pair.AreDirect, 2 * Second));
        }
    }

    [Fact]
    public void A_side_that_stays_on_the_relay_does_not_draw_the_other_one_back()
    {
        using var pair = new RelayedPair(NatType.FullCone, NatType.FullCone, 1, bAsks: false);
        pair.A.Write(1_000);
        pair.Run(Second);
        pair.Punch();
        Assert.NotNull(pair.Until(() => pair.A.IsDirect, 2 * Second));
        for (int i = 0; i < 20; i++)
        {
            pair.B.Write(1_000);
            pair.Run(Second);
            Assert.True(pair.A.IsDirect && !pair.B.IsDirect);
        }

        Assert.Equal(20_000, pair.A.Received);
    }

    [Fact]
    public void A_relay_that_dies_does_not_disturb_a_direct_path()
    {
        using RelayedPair pair = Direct(1);
        pair.IsRelayCut = true;
        pair.A.SetRelay(null);
        pair.B.SetRelay(null);
        pair.A.Write(50_000);
        pair.Run(5 * Second);
        Assert.Equal(51_000, pair.B.Received);
        Assert.True(pair.AreDirect);
    }

    [Fact]
    public void A_relayed_connection_goes_on_over_another_channel()
    {
        using var pair = new RelayedPair(NatType.Symmetric, NatType.Symmetric, 1);
        pair.A.Write(1_000);
        pair.Run(Second);
        pair.IsRelayCut = true;
        pair.A.Write(1_000);
        pair.Run(2 * Second);
        pair.A.RelayAddress = RelayAddress.Of(1);
        pair.B.RelayAddress = RelayAddress.Of(2);
        pair.A.SetRelay(pair.A.RelayAddress);
        pair.B.SetRelay(pair.B.RelayAddress);
        pair.IsRelayCut = false;
        pair.Run(2 * Second);
        Assert.Equal(2_000, pair.B.Received);
    }

    [Fact]
    public void When_the_relay_goes_away_the_direct_path_of_before_is_tried()
    {
        using RelayedPair pair = Direct(1);
        pair.IsDirectCut = true;
        pair.A.Write(1_000);
        Assert.NotNull(pair.Until(() => !pair.A.IsDirect, 3 * Second));
        pair.IsDirectCut = false;
        pair.IsRelayCut = true;
        pair.A.SetRelay(null);
        pair.B.SetRelay(null);
        Assert.True(pair.A.IsDirect);
        pair.Run(3 * Second);
        Assert.Equal(2_000, pair.B.Received);
    }

    [Fact]
    public void A_third_party_that_is_named_gets_nine_small_datagrams_and_no_more()
    {
        IPEndPoint victim = IPEndPoint.Parse("198.51.100.66:53");
        using var pair = new RelayedPair(NatType.Symmetric, NatType.Symmetric, 1);
        pair.A.Write(1_000);
        for (int i = 0; i < 100; i++)
        {
            pair.Punch(victim);
            pair.A.Write(2_000);
            pair.Run(2 * Second);
        }

        Assert.Equal(2 * 9, pair.Sent[victim]); // both sides were told of it
        Assert.Equal(201_000, pair.B.Received);
    }

    /// <summary>Somebody between copies what goes directly and sends it on from addresses of others: each copy is taken once at most and moves nothing.</summary>
    [Fact]
    public void Copies_from_elsewhere_do_not_turn_a_connection_away()
    {
        using RelayedPair pair = Direct(1);
        byte[] buffer = new byte[65_536];
        for (int i = 0; i < 50; i++)
        {
            pair.A.Connection.Streams.TryOpen(Protocol.Streams.StreamClass.Ordinary, out var stream);
            pair.A.Connection.Streams.Write(stream!, new byte[10]);
            int length = pair.A.Connection.PollTransmit(buffer, pair.Now);
            pair.B.Connection.HandleDatagram(buffer.AsSpan(0, length), new IPEndPoint(IPAddress.Parse("198.51.100.66"), 1000 + i), pair.Now);
            pair.Run(Second);
        }

        Assert.True(pair.AreDirect);
        Assert.Equal(pair.A.Nat.Outside, pair.B.Connection.Remote.Address);
    }

    private static RelayedPair Direct(int seed)
    {
        var pair = new RelayedPair(NatType.PortRestricted, NatType.FullCone, seed);
        pair.A.Write(1_000);
        pair.Run(Second);
        pair.Punch();
        Assert.NotNull(pair.Until(() => pair.AreDirect, 2 * Second));
        pair.Run(Second);
        return pair;
    }

    /// <summary>Public, so that a theory can take it.</summary>
    public readonly record struct NatType2(int A, int B)
    {
        public override string ToString() => $"{(NatType)A} x {(NatType)B}";
    }
}
