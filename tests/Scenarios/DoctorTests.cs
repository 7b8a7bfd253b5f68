using System.Text.Json;
using Scenarios.Harness;

namespace Scenarios;

public sealed class DoctorTests
{
    [Fact]
    public async Task A_healthy_node_is_ok_and_the_device_that_is_offline_is_named()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await using TestNode away = await TestNode.StartAsync("away");
        Shell.Run("chmod", "0700", here.Data);
        await here.PairWithAsync(there);
        await here.PairWithAsync(away);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1")).Out == "1\n", "the pair works");
        Assert.Equal(0, (await away.RunAsync("down")).Code);
        await Eventually.HoldsAsync(async () => (await here.StatusAsync()).PeersConnected == 1, "one link is seen to be gone");

        await Eventually.HoldsAsync(async () => (await DoctorAsync(here))["peer there"].Result == "ok", "the peer that is there is healthy");
        Ran ran = await here.RunAsync("--json", "doctor");
        Dictionary<string, Check> checks = Checks(ran);

        Assert.True(ran.Code == 0, ran.ToString());
        Assert.All(["libsodium", "sqlite", "settings", "data directory", "control socket", "node", "udp port", "durability", "packets", "streams", "programs", "clock", "peer there"],
            name => Assert.True(checks[name].Result == "ok", $"{name}: {checks[name]}"));
        Assert.Contains($"127.0.0.1:{there.Port} direct", checks["peer there"].Finding, StringComparison.Ordinal);
        Assert.Equal("warn", checks["peer away"].Result);
        Assert.Contains("last seen", checks["peer away"].Finding, StringComparison.Ordinal);
        Assert.Contains("on away: agentmesh up", checks["peer away"].Next, StringComparison.Ordinal);

        // These nodes listen on loopback only.
        Assert.Equal("warn", checks["addresses"].Result);
        Ran text = await here.RunAsync("doctor");
        Assert.Contains("warn  peer away", text.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_node_it_still_looks_at_the_machine_and_makes_nothing()
    {
        await using var node = new TestNode("one");
        Directory.Delete(node.Data);

        Ran ran = await node.RunAsync("--json", "doctor");

        Assert.True(ran.Code == 0, ran.ToString());
        Dictionary<string, Check> checks = Checks(ran);
        Assert.Equal(("ok", "warn", "warn"), (checks["libsodium"].Result, checks["data directory"].Result, checks["node"].Result));
        Assert.Equal("agentmesh up --detach", checks["node"].Next);
        Assert.False(Directory.Exists(node.Data));
    }

    [Fact]
    public async Task A_broken_configuration_fails_with_its_place_and_the_node_is_still_found()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), "agentmesh { jobs { attempts = many } }");

        Ran ran = await node.RunAsync("--json", "doctor");

        Assert.True(ran.Code == 1, ran.ToString());
        Dictionary<string, Check> checks = Checks(ran);
        Assert.Equal(("fail", "AM0203"), (checks["settings"].Result, checks["settings"].Code));
        Assert.Contains("agentmesh.conf", checks["settings"].Finding, StringComparison.Ordinal);
        Assert.Contains("jobs.attempts", checks["settings"].Finding, StringComparison.Ordinal);
        Assert.Equal("ok", checks["node"].Result);
        Ran text = await node.RunAsync("doctor");
        Assert.Contains("FAIL  settings", text.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_that_the_node_was_not_started_with_are_told_with_both_files()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        Assert.DoesNotContain("settings file", (await DoctorAsync(node)).Keys);
        string here = Path.Combine(node.Data, "agentmesh.conf"), other = Path.Combine(node.Data, "other.conf");
        File.WriteAllText(here, "agentmesh.jobs.attempts = 2\n");
        File.WriteAllText(other, "agentmesh.jobs.attempts = 3\n");

        Check later = (await DoctorAsync(node))["settings file"];
        Assert.Equal("warn", later.Result);
        Assert.Contains(here, later.Finding, StringComparison.Ordinal);

        // As the next step says.
        (await node.RunAsync("down")).Done();
        (await node.RunAsync("--config", other, "up", "--detach", "--name", "one", "--listen", "127.0.0.1")).Done();
        Check two = (await DoctorAsync(node))["settings file"];
        Assert.Contains(here, two.Finding, StringComparison.Ordinal);
        Assert.Contains(other, two.Finding, StringComparison.Ordinal);
        Assert.DoesNotContain("settings file", Checks(await node.RunAsync("--json", "--config", other, "doctor")).Keys);
        Assert.Equal(other, (await node.StatusAsync()).SettingsFile);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_fails_with_its_process()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        node.Signal("STOP");
        try
        {
            Ran ran = await node.RunAsync("--json", "--timeout", "1s", "doctor");

            Assert.True(ran.Code == 1, ran.ToString());
            Assert.Contains($"process {node.ProcessId} ", Checks(ran)["node"].Finding, StringComparison.Ordinal);
        }
        finally
        {
            node.Signal("CONT");
        }
    }

    internal sealed record Check(string Result, string Finding, string? Next, string? Code);

    internal static async Task<Dictionary<string, Check>> DoctorAsync(TestNode node) => Checks(await node.RunAsync("--json", "doctor"));

    private static Dictionary<string, Check> Checks(Ran ran)
    {
        Assert.True(ran.Out.StartsWith('{'), ran.ToString());
        return JsonDocument.Parse(ran.Out).RootElement.GetProperty("checks").EnumerateArray()
            .DistinctBy(check => check.GetProperty("name").GetString())
            .ToDictionary(
                check => check.GetProperty("name").GetString()!,
                check => new Check(check.GetProperty("result").GetString()!, check.GetProperty("finding").GetString()!, check.GetProperty("next").GetString(), check.GetProperty("code").GetString()),
                StringComparer.Ordinal);
    }
}
