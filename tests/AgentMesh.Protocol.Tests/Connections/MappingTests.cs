using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>NATs that take ports back: what is learned, and how a connection goes on. In virtual time, over many seeds.</summary>
public sealed class MappingTests
{
    private const int Seeds = 10;

    private static readonly IPEndPoint Peer = IPEndPoint.Parse("192.0.2.2:5000");
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    [Fact]
    public void Two_ports_that_ended_at_the_same_age_tell_when_the_next_will()
    {
        var watch = new MappingWatch(TimeSpan.Zero);
        watch.Moved(Peer, TimeSpan.Zero);
        Talk(watch, 0, 200);
        watch.Observed(Seen(0), At(0));
        watch.Observed(Seen(1), At(60));
        Assert.Null(watch.Absolute);
        Assert.Equal(TimeSpan.MaxValue, watch.MoveAt);
        watch.Observed(Seen(2), At(121));
        Assert.Equal(At(60), watch.Absolute);
        Assert.Equal(At(121 + 45), watch.MoveAt);
    }

    [Fact]
    public void Ports_that_ended_at_different_ages_or_soon_tell_nothing()
    {
        var watch = new MappingWatch(TimeSpan.Zero);
        watch.Moved(Peer, TimeSpan.Zero);
        Talk(watch, 0, 500);
        double[] at = [0, 60, 180, 230, 240, 250];
        for (int i = 0; i < at.Length; i++)
        {
            watch.Observed(Seen(i), At(at[i]));
            Assert.Null(watch.Absolute);
        }
    }

    [Fact]
    public void A_port_that_ended_after_silence_tells_how_long_silence_may_be()
    {
        var watch = new MappingWatch(TimeSpan.Zero);
        watch.Moved(Peer, TimeSpan.Zero);
        watch.Sent(At(0));
        watch.Observed(Seen(0), At(0));
        watch.Sent(At(40));
        watch.Observed(Seen(1), At(40.2));
        Assert.Equal(At(40), watch.Idle);
        watch.Sent(At(70));
        watch.Observed(Seen(2), At(70.2));
        Assert.Equal(At(30), watch.Idle);
        Assert.Null(watch.Absolute);
    }

    [Fact]
    public void A_late_word_and_another_socket_or_host_are_no_end_of_a_port()
    {
        var watch = new MappingWatch(TimeSpan.Zero);
        watch.Moved(Peer, TimeSpan.Zero);
        Talk(watch, 0, 500);
        watch.Observed(Seen(5), At(0));
        watch.Observed(Seen(4), At(60)); // late
        Assert.Equal(Seen(5).Address, watch.Seen);
        watch.Moved(SpareAddress.Of(1, Peer), At(100));
        watch.Observed(Seen(6), At(101));
        watch.Moved(IPEndPoint.Parse("192.0.2.77:5000"), At(160));
        watch.Observed(Seen(7), At(161));
        watch.Moved(RelayAddress.Of(1), At(170));
        Assert.Null(watch.Absolute);
        Assert.Equal(Seen(7).Address, watch.Seen);
    }

    [Fact]
    public void For_one_port_three_sockets_are_tried()
    {
        var watch = new MappingWatch(TimeSpan.Zero);
        watch.Moved(Peer, TimeSpan.Zero);
        Talk(watch, 0, 200);
        watch.Observed(Seen(0), At(0));
        watch.Observed(Seen(1), At(60));
        watch.Observed(Seen(2), At(120));
        for (int i = 0; i < MappingWatch.TriesMax; i++)
        {
            Assert.NotEqual(TimeSpan.MaxValue, watch.MoveAt);
            watch.Tried(watch.MoveAt);
            watch.Moved(SpareAddress.Of((ushort)(i + 1), Peer), At(166 + i));
            watch.Moved(Peer, At(120)); // the other side did not follow
        }

        Assert.Equal(TimeSpan.MaxValue, watch.MoveAt);
        watch.Moved(SpareAddress.Of(9, Peer), At(180));
        Assert.Equal(At(180 + 45), watch.MoveAt);
    }

    /// <summary>Bulk in one direction: the side behind the NAT only acknowledges, and nothing that is sent to its lost port comes back.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_port_that_ends_stops_nothing_for_long_and_is_left_before_it_ends_once_its_life_is_known(bool toB)
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var nat = new ShortNat(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60), new Random(seed));
            using var pair = new WaysPair(seed, new Way("203.0.113.1:1", "192.0.2.2:5000", 5 + (3 * seed)) { Nat = nat });
            TimeSpan longest = Flow(pair, toB, 125);
            Assert.True(longest <= TimeSpan.FromSeconds(1), $"seed {seed}: nothing for {longest}");
            longest = Flow(pair, toB, 275);
            Assert.True(longest <= TimeSpan.FromSeconds(0.2), $"seed {seed}: nothing for {longest}, with what was learned");
            Assert.InRange(pair.A.Connection.Mapping.Absolute!.Value.TotalSeconds, 55, 62);
            Assert.InRange(pair.A.Sockets.Count, 4, 12);
            Assert.Empty(pair.B.Sockets);
            Assert.InRange(pair.A.Connection.Paths.All.Count, 2, 3);
        }
    }

    [Fact]
    public void A_rebinding_of_port_and_address_stops_nothing_for_long()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var nat = new ShortNat(Never, Never, new Random(seed));
            using var pair = new WaysPair(seed, new Way("203.0.113.1:1", "192.0.2.2:5000", 5 + (3 * seed)) { Nat = nat });
            Flow(pair, seed % 2 == 0, 5);
            for (int i = 0; i < 5; i++)
            {
                nat.Rebind();
                TimeSpan longest = Flow(pair, seed % 2 == 0, 7 + i);
                Assert.True(longest <= TimeSpan.FromSeconds(1), $"seed {seed}, {i}: nothing for {longest}");
            }

            Assert.Null(pair.A.Connection.Mapping.Absolute);
        }
    }

    [Fact]
    public void An_old_device_is_told_nothing()
    {
        Assert.Equal(0, TransportParameters.Read(Convert.FromHexString("00040000001000000400ffe30400000000000000000000000000000000000000")).Takes);
        var teller = new AddressTeller(isWanted: false);
        teller.IsAt(Peer);
        Assert.False(teller.IsPending);
    }

    [Fact]
    public void Where_a_relay_is_seen_or_this_machine_nothing_is_told_and_a_change_once()
    {
        var teller = new AddressTeller(isWanted: true);
        teller.IsAt(RelayAddress.Of(1));
        teller.IsAt(IPEndPoint.Parse("127.0.0.1:5000"));
        Assert.False(teller.IsPending);
        teller.IsAt(Peer);
        Assert.True(teller.IsPending);
        teller.Sent();
        teller.IsAt(Peer);
        Assert.False(teller.IsPending);
        teller.Lost(teller.Frame.Sequence);
        Assert.True(teller.IsPending);
    }

    [Fact]
    public void An_idle_direct_path_beside_a_relay_is_not_kept_alive_and_one_alone_is()
    {
        foreach (bool hasRelay in new[] { false, true })
        {
            using var pair = new WaysPair(1, new Way("192.0.2.1:5000", "192.0.2.2:5000", 10), WaysPair.Relay(7, 20));
            if (hasRelay)
            {
                pair.OfferRelays();
            }

            pair.A.Write(1_000);
            pair.Run(60);
            long before = pair.Ways[0].Carried;
            pair.Run(50);
            Assert.Equal(hasRelay, pair.Ways[0].Carried == before);

            // And used again, though the direct path went away meanwhile.
            pair.Ways[0].IsCut = hasRelay;
            pair.A.Write(1_000);
            Assert.True(pair.Until(() => pair.B.Received == 2_000, TimeSpan.FromSeconds(1)) is not null, hasRelay ? "relayed" : "direct");
        }
    }

    [Fact]
    public void A_port_that_ends_after_silence_is_kept_by_asking_sooner()
    {
        var nat = new ShortNat(TimeSpan.FromSeconds(4.5), Never, new Random(1));
        using var pair = new WaysPair(1, new Way("203.0.113.1:1", "192.0.2.2:5000", 10) { Nat = nat });
        TimeSpan? asSet = pair.A.Connection.KeepAliveAfter;
        pair.A.Write(1_000);
        pair.Run(30);
        Assert.Equal(new ConnectionSettings().KeepAlive, asSet);
        Assert.InRange(pair.A.Connection.Mapping.Idle!.Value.TotalSeconds, 4.5, 5.5);
        Assert.InRange(pair.A.Connection.KeepAliveAfter!.Value.TotalSeconds, 3, 4.5);
        IPEndPoint? kept = pair.A.Connection.Mapping.Seen;
        pair.Run(120);
        Assert.Equal(kept, pair.A.Connection.Mapping.Seen);
        pair.B.Write(1_000);
        Assert.NotNull(pair.Until(() => pair.A.Received == 1_000, TimeSpan.FromSeconds(0.1)));
    }

    [Fact]
    public void An_idle_direct_path_is_kept_alive_again_when_its_relay_goes()
    {
        using var pair = new WaysPair(1, new Way("192.0.2.1:5000", "192.0.2.2:5000", 10), WaysPair.Relay(7, 20));
        pair.OfferRelays();
        pair.A.Write(1_000);
        pair.Run(60);
        Assert.True(pair.A.Connection.NextTimeout() > pair.Now);
        pair.A.Connection.SetRelays([], pair.Now);
        pair.B.Connection.SetRelays([], pair.Now);
        Assert.True(pair.A.Connection.NextTimeout() <= pair.Now, "no timer would notice that the relay has gone");
        long before = pair.Ways[0].Carried;
        pair.Run(20);
        Assert.InRange(pair.Ways[0].Carried - before, 200, 2_000); // bytes: a question and its answer every five seconds
    }

    private static TimeSpan Flow(WaysPair pair, bool toB, double seconds)
    {
        WaysPair.Side writer = toB ? pair.A : pair.B, reader = writer.Other;
        TimeSpan end = pair.Now + TimeSpan.FromSeconds(seconds), at = pair.Now, longest = TimeSpan.Zero;
        while (pair.Now < end)
        {
            long before = reader.Received;
            writer.Write(1_500);
            pair.Run(0.05);
            at = reader.Received > before ? pair.Now : at;
            longest = pair.Now - at > longest ? pair.Now - at : longest;
        }

        return longest;
    }

    private static void Talk(MappingWatch watch, int from, int to)
    {
        for (int s = from; s <= to; s++)
        {
            watch.Sent(At(s));
        }
    }

    private static ObservedAddressFrame Seen(int port) => new((ulong)port, new IPEndPoint(IPAddress.Parse("203.0.113.1"), 40_000 + port));

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
