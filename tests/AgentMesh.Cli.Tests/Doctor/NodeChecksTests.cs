using AgentMesh.Cli.Doctor;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class NodeChecksTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PacketCountersView Quiet = new(100_000, 100_000, 0, 0, 0, 0, 0, 0);
    private static readonly PeerView Gpu = new(
        1, "gpu", "abc", false, "connected", "10.0.0.2:14590", "direct", 5, 0, Now, null, null, "0.1.0", true, [], [], null, []);

    [Fact]
    public void A_node_of_another_version_warns_and_the_commit_does_not_count()
    {
        StatusView status = new("laptop", "id", "0.1.0", "engine", 7, Now, "/data", [], "x", 1, [], 0, 0, 0, 0);

        Assert.Equal("ok", NodeChecks.Running(status, "0.1.0+abcdef").Result);
        Assert.Equal("warn", NodeChecks.Running(status, "0.2.0").Result);
    }

    [Fact]
    public void A_settings_file_that_the_node_was_not_started_with_warns_with_both()
    {
        Assert.Null(NodeChecks.SettingsFile("/etc/a.conf", "/etc/a.conf"));
        Assert.Null(NodeChecks.SettingsFile("", null));
        Assert.Null(NodeChecks.SettingsFile(null, "/etc/a.conf"));

        DoctorCheck other = NodeChecks.SettingsFile("/etc/a.conf", "/data/agentmesh.conf")!, none = NodeChecks.SettingsFile("/etc/a.conf", null)!, later = NodeChecks.SettingsFile("", "/my data/b.conf")!;
        Assert.All([other, none, later], check => Assert.Equal(("warn", "settings file"), (check.Result, check.Name)));
        Assert.Contains("/etc/a.conf; /data/agentmesh.conf is read here", other.Finding, StringComparison.Ordinal);
        Assert.Contains("--config /etc/a.conf doctor", other.Next, StringComparison.Ordinal);
        Assert.Contains("--config /data/agentmesh.conf up", other.Next, StringComparison.Ordinal);
        Assert.Contains("--config /etc/a.conf doctor", none.Next, StringComparison.Ordinal);
        Assert.Contains("without one", later.Finding, StringComparison.Ordinal);
        Assert.Contains("--config '/my data/b.conf' up", later.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void No_node_is_a_warning_and_a_silent_one_a_failure()
    {
        var none = new MeshException(CliErrors.NoNode, "no node is running here", "start one");

        Assert.Equal(("warn", "agentmesh up --detach"), (NodeChecks.NotAnswering(none, null).Result, NodeChecks.NotAnswering(none, null).Next));
        DoctorCheck silent = NodeChecks.NotAnswering(none, 4711);
        Assert.Equal("fail", silent.Result);
        Assert.Contains("kill 4711", silent.Next, StringComparison.Ordinal);
        Assert.Equal(("fail", "AM0221"), (NodeChecks.NotAnswering(new MeshException(CliErrors.ConnectionLost, "gone", null), null) is var lost ? lost.Result : "", lost.Code));
    }

    [Fact]
    public void Less_than_full_durability_warns()
    {
        Assert.Equal("ok", NodeChecks.Durability("SQLite WAL synchronous=FULL").Result);
        Assert.Equal("warn", NodeChecks.Durability("SQLite WAL synchronous=NORMAL").Result);
    }

    [Fact]
    public void Some_noise_is_normal_and_one_in_a_hundred_is_not()
    {
        Assert.Equal("ok", Packets(Quiet).Result);
        Assert.Equal("ok", Packets(Quiet with { Received = 10, Malformed = 90 }).Result);
        Assert.Equal("ok", Packets(Quiet with { NotAuthentic = 1000 }).Result);
        Assert.Contains("damaged, forged", Packets(Quiet with { Malformed = 500, NotAuthentic = 501 }).Finding, StringComparison.Ordinal);
        Assert.Contains("not admitted", Packets(Quiet with { Strangers = 1001 }).Finding, StringComparison.Ordinal);
        Assert.Contains("could not be sent", Packets(Quiet with { SendFailures = 1001 }).Finding, StringComparison.Ordinal);
        Assert.Contains("udp port 14590", Packets(Quiet with { Malformed = 2000 }).Next, StringComparison.Ordinal);
        Assert.Equal(NetworkChecks.RaiseBuffer, Packets(Quiet, udpDrops: 1001).Next);
    }

    [Fact]
    public void A_failed_or_refused_stream_warns()
    {
        var good = new StreamCountersView(10, 0, 0, 0, 0, null);

        Assert.Equal("ok", NodeChecks.Streams(good).Result);
        Assert.Equal("warn", NodeChecks.Streams(good with { Refused = 1 }).Result);
        DoctorCheck failed = NodeChecks.Streams(good with { Failed = 1, LastFailure = "IOException: first\nsecond" });
        Assert.Equal(("warn", "1 of 10 failed here, last with IOException: first second"), (failed.Result, failed.Finding));
    }

    [Fact]
    public void The_limit_of_attempts_and_uncollected_processes_warn()
    {
        Assert.Equal("ok", NodeChecks.Load(63, 64, NodeChecks.ZombiesWarn).Result);
        Assert.Equal("warn", NodeChecks.Load(64, 64, 0).Result);
        Assert.Equal("warn", NodeChecks.Load(0, 64, NodeChecks.ZombiesWarn + 1).Result);
    }

    [Fact]
    public void A_connected_peer_shows_its_path_and_the_measured_time()
    {
        var ping = new PingProbeView(1, 1.25, 0, "10.0.0.2:14590", "direct", null);

        Assert.Equal(("ok", "connected, 10.0.0.2:14590 direct, 1.3 ms"), (PeerChecks.Peer(Gpu, ping, Now).Result, PeerChecks.Peer(Gpu, ping, Now).Finding));
        Assert.Equal("ok", PeerChecks.Peer(Gpu, null, Now).Result);
    }

    [Fact]
    public void A_peer_that_is_silent_or_not_in_the_cluster_warns()
    {
        Assert.Equal("warn", PeerChecks.Peer(Gpu, new PingProbeView(1, null, null, "10.0.0.2:14590", "direct", "no answer within 2 s"), Now).Result);
        Assert.Equal("warn", PeerChecks.Peer(Gpu with { IsMember = false }, null, Now).Result);
    }

    [Fact]
    public void An_offline_peer_is_named_with_why_and_since_when()
    {
        DoctorCheck check = PeerChecks.Peer(Gpu with { State = "failed", LastSeen = Now.AddMinutes(-3), Problem = "no answer" }, null, Now);

        Assert.Equal(("peer gpu", "warn", "not reachable, last seen 3 min ago: no answer"), (check.Name, check.Result, check.Finding));
        Assert.Contains("agentmesh up", check.Next, StringComparison.Ordinal);
        Assert.Contains("never seen", PeerChecks.Peer(Gpu with { State = "disconnected", LastSeen = null, Address = null }, null, Now).Finding, StringComparison.Ordinal);
        Assert.Contains("may not let laptop introduce this device", PeerChecks.Peer(Gpu with { State = "failed", LastSeen = null }, null, Now, "laptop").Next, StringComparison.Ordinal);
        Assert.DoesNotContain("introduce", PeerChecks.Peer(Gpu with { State = "failed", LastSeen = null }, null, Now).Next, StringComparison.Ordinal);
        Assert.DoesNotContain("introduce", PeerChecks.Peer(Gpu with { State = "failed", LastSeen = Now }, null, Now, "laptop").Next, StringComparison.Ordinal);
    }

    private static DoctorCheck Packets(PacketCountersView packets, long udpDrops = 0) => NodeChecks.Packets(packets, udpDrops, ["0.0.0.0:14590", "[::]:14590"]);

    [Fact]
    public void That_programs_cannot_be_locked_in_matters_where_some_are_to_be()
    {
        var view = new ConfinementView(true, 7, true, null, true);
        Assert.Equal(("ok", "programs that others start by run:PROGRAM are locked in (Landlock ABI 7)"), (NodeChecks.Confinement(view).Result, NodeChecks.Confinement(view).Finding));
        Assert.Contains("Linux 6.12", NodeChecks.Confinement(view with { LandlockAbi = 5, KeepsSignals = false }).Finding, StringComparison.Ordinal);
        ConfinementView unable = view with { LandlockAbi = 0, WhyNot = "no Landlock" };
        Assert.Equal(("warn", "AM0177"), (NodeChecks.Confinement(unable).Result, NodeChecks.Confinement(unable).Code));
        Assert.Equal("ok", NodeChecks.Confinement(unable with { IsUsed = false }).Result);
        Assert.Equal("ok", NodeChecks.Confinement(unable with { On = false }).Result);
    }

    [Fact]
    public void Cgroups_are_missed_only_where_programs_are_to_be_limited()
    {
        var none = new CgroupsView(null, [], false, "/sys/fs/cgroup may not be divided");
        Assert.Equal(("ok", "programs have none: /sys/fs/cgroup may not be divided"), (NodeChecks.Cgroups(none).Result, NodeChecks.Cgroups(none).Finding));
        Assert.Equal("warn", NodeChecks.Cgroups(none with { Limits = true }).Result);
        var some = new CgroupsView("/sys/fs/cgroup/agentmesh-abc", [], false, null);
        Assert.Equal("ok", NodeChecks.Cgroups(some).Result);
        Assert.Equal("warn", NodeChecks.Cgroups(some with { Limits = true }).Result);
        Assert.EndsWith("cpu, memory can be limited there, and are", NodeChecks.Cgroups(some with { Limits = true, Controllers = ["cpu", "memory"] }).Finding, StringComparison.Ordinal);
    }
}
