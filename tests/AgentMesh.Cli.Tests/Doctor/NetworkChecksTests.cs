using System.Net;
using AgentMesh.Cli.Doctor;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class NetworkChecksTests
{
    [Fact]
    public void A_node_that_listens_nowhere_fails()
    {
        Assert.Equal("fail", NetworkChecks.Bound([]).Result);
        Assert.Equal("ok", NetworkChecks.Bound(["0.0.0.0:14590"]).Result);
    }

    [Fact]
    public void A_taken_port_fails_and_says_who_to_ask()
    {
        var wanted = new IPEndPoint(IPAddress.Any, 14590);

        Assert.Equal("ok", NetworkChecks.Free(wanted, null).Result);
        DoctorCheck taken = NetworkChecks.Free(wanted, "Address already in use");
        Assert.Equal("fail", taken.Result);
        Assert.Contains("ss -ulpn 'sport = :14590'", taken.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void A_NAT_that_gives_out_ports_at_random_warns_with_its_code_and_others_do_not()
    {
        var problem = new ProblemView("AM0151", "the NAT gives out ports at random", "use IPv6");
        DoctorCheck random = NetworkChecks.Nat(new NatView("random", "by-port", null, false, "203.0.113.1:5000", problem));
        DoctorCheck steps = NetworkChecks.Nat(new NatView("sequential", "by-port", 1, false, "203.0.113.1:5000", null));

        Assert.Equal(("warn", "AM0151", "use IPv6"), (random.Result, random.Code, random.Next));
        Assert.Equal(("ok", "maps dependently (symmetric), ports in steps of 1, lets in only the address and port that was sent to, no hairpin; outside 203.0.113.1:5000"), (steps.Result, steps.Finding));
        Assert.Equal("none; outside 203.0.113.1:5000", NetworkChecks.Nat(new NatView("none", "by-address", null, true, "203.0.113.1:5000", null)).Finding);
    }

    [Theory]
    [InlineData(28_000.0, 43_000.0, "; ports end after 28 to 43 s of silence")]
    [InlineData(null, 8_000.0, "; ports end within 8 s of silence")]
    [InlineData(298_000.0, null, "; ports live longer than 298 s of silence")]
    [InlineData(null, null, "")]
    public void It_is_said_after_how_much_silence_ports_end(double? lives, double? dies, string said)
    {
        var nat = new NatView("independent", "unknown", null, null, "203.0.113.1:5000", null) { PortLivesMs = lives, PortDiesMs = dies };
        Assert.Equal($"maps independently (cone); outside 203.0.113.1:5000{said}", NetworkChecks.Nat(nat).Finding);
    }

    [Fact]
    public void A_small_receive_buffer_warns_with_the_setting()
    {
        DoctorCheck small = NetworkChecks.ReceiveBuffer(212_992, 4 << 20);

        Assert.Equal("warn", small.Result);
        Assert.Contains("208 KiB", small.Finding, StringComparison.Ordinal);
        Assert.Contains("net.core.rmem_max=4194304", small.Next, StringComparison.Ordinal);
        Assert.Equal("ok", NetworkChecks.ReceiveBuffer(4 << 20, 4 << 20).Result);
    }

    [Theory]
    [InlineData("warn", "127.0.0.1:14590", "[::1]:14590")]
    [InlineData("ok", "127.0.0.1:14590", "192.0.2.2:14590")]
    [InlineData("ok", "mesh.example:14590")]
    [InlineData("fail")]
    public void Only_loopback_warns_and_no_address_fails(string expected, params string[] addresses) => Assert.Equal(expected, NetworkChecks.Announced(addresses).Result);

    [Fact]
    public void A_clock_is_wrong_only_beyond_what_the_round_trip_may_have_added()
    {
        TimeSpan quick = TimeSpan.FromMilliseconds(1), slow = TimeSpan.FromSeconds(3);

        Assert.Equal("ok", NetworkChecks.Clock([("gpu", TimeSpan.FromSeconds(-1.9), quick)]).Result);
        Assert.Equal("ok", NetworkChecks.Clock([("gpu", TimeSpan.FromSeconds(3), slow)]).Result);
        DoctorCheck wrong = NetworkChecks.Clock([("gpu", TimeSpan.FromMinutes(-5), quick), ("phone", TimeSpan.Zero, quick)]);
        Assert.Equal(("warn", "the clock of gpu is 5 min behind"), (wrong.Result, wrong.Finding));
    }

    [Fact]
    public void Drops_are_counted_at_the_ports_of_the_node_only()
    {
        const string text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
             1234: 00000000:38FE 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 29561 2 0000000000000000 17
             1235: 00000000:38FF 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 29562 2 0000000000000000 1000
              sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
             1236: 00000000000000000000000000000000:38FE 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 29563 2 0000000000000000 4
            """;

        Assert.Equal(21, ProcFiles.UdpDrops(text, [14590]));
        Assert.Equal(0, ProcFiles.UdpDrops("", [14590]));
    }

    [Theory]
    [InlineData("12 (sh) Z 7 12 12 0", true)]
    [InlineData("12 (a) Z 9 (b) Z 7 12", true)]
    [InlineData("12 (sh) S 7 12 12 0", false)]
    [InlineData("12 (sh) Z 8 12 12 0", false)]
    [InlineData("", false)]
    public void A_zombie_is_told_by_state_and_parent(string stat, bool expected) => Assert.Equal(expected, ProcFiles.IsZombieOf(stat, 7));
}
