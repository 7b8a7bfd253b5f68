using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Schedules of a real node that is killed and started again.</summary>
public sealed class CronTests
{
    [Fact]
    public async Task A_schedule_for_starts_fires_once_at_each_start_though_the_node_is_killed()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string log = Path.Combine(node.Data, "starts.txt");
        Ran added = await node.RunAsync("cron", "add", "at-start", "@reboot", "--", "sh", "-c", $"echo started >> {log}");
        Assert.True(added.Code == 0, added.ToString());

        for (int start = 1; start <= 3; start++)
        {
            node.KillHard();
            await node.UpAsync();
            await Eventually.HoldsAsync(async () => (await CronAsync(node, "at-start")) is var cron && cron.Fired == start && cron.Runs.All(run => run.State == "completed"), $"start {start} has had its run");
            Assert.Equal(start, File.ReadAllLines(log).Length);
        }

        CronView view = await CronAsync(node, "at-start");
        Assert.Equal((3L, 0L, 3), (view.Fired, view.MissedCount, view.Runs.Select(run => run.Job).Distinct().Count()));
    }

    [Fact]
    public async Task A_run_by_hand_is_a_job_and_a_disabled_schedule_stays_so_over_a_kill()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        await using TestNode other = await TestNode.StartAsync("other");
        await node.PairWithAsync(other);
        await Eventually.HoldsAsync(async () => (await node.RunAsync("@other", "echo", "hello")).Code == 0, "the other device answers");
        (await node.RunAsync("cron", "add", "sums", "0 3 * * *", "--tz", "Europe/Berlin", "--on", "@other", "--line", "calc 6*7")).Done();
        (await node.RunAsync("cron", "disable", "sums")).Done();

        node.KillHard();
        await node.UpAsync();
        Assert.False((await CronAsync(node, "sums")).Enabled);
        string job = (await node.RunAsync("cron", "run", "sums")).Done().Trim();

        await Eventually.HoldsAsync(async () => (await node.JobAsync(job)).State == "completed", "the run is over");
        JobView done = await node.JobAsync(job);
        Assert.Equal(("42", "other"), (done.Result, done.TargetName));
        await Eventually.HoldsAsync(async () => (await CronAsync(node, "sums")).Runs is [{ State: "completed", Cause: "manual" }], "the schedule knows the end of its run");
        Assert.Contains("next: ", (await node.RunAsync("cron", "enable", "sums")).Done(), StringComparison.Ordinal);
        Assert.Contains(done.ShortId, (await node.RunAsync("cron", "show", "sums")).Done(), StringComparison.Ordinal);
        (await node.RunAsync("cron", "rm", "sums")).Done();
        Assert.Equal("[]", (await node.RunAsync("--json", "cron", "list")).Done().Trim());
    }

    [Fact]
    public async Task The_file_of_schedules_is_followed_and_what_is_wrong_in_it_touches_nothing_else()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string file = Path.Combine(node.Data, "CRON.md"), log = Path.Combine(node.Data, "out.txt");
        (await node.RunAsync("cron", "add", "mine", "@daily", "--line", "echo hello")).Done();
        File.WriteAllText(file, $"# Jobs\n---\n## Say it\n**Schedule**: 0 3 * * *\n**Command**: echo said | tee -a {log}\n---\n## Off\n**Command**: true\n**Enabled**: false\n---\n## Mine\n**Command**: true\n");
        await Eventually.HoldsAsync(async () => (await NamesAsync(node)) == "mine off- say-it*", "the file is taken over");

        (await node.RunAsync("cron", "run", "say-it")).Done();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(log) && File.ReadAllText(log) == "said\n"), "the command ran in a shell");
        (await node.RunAsync("cron", "disable", "say-it")).Done();
        node.KillHard();
        await node.UpAsync();
        Assert.Equal("mine off- say-it-", await NamesAsync(node));

        File.WriteAllText(file, "## Off\n**Command**: true\n---\n## Say it\n**Schedule**: 99 * * * *\n**Command**: false\n");
        Ran reload = await node.RunAsync("cron", "reload");
        Assert.True(reload.Code == 1 && reload.Error.Contains("AM0340: line 4, 'Say it'", StringComparison.Ordinal), reload.ToString());
        Assert.Equal("mine off* say-it-", await NamesAsync(node));
        File.WriteAllText(file, "");
        (await node.RunAsync("cron", "reload")).Done();
        Assert.Equal("mine", await NamesAsync(node));
        File.Delete(file);
        Ran none = await node.RunAsync("cron", "reload");
        Assert.True(none.Code == 255 && none.Error.Contains("AM0349", StringComparison.Ordinal), none.ToString());

        string month = File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(node.Data, "logs", "cron"))));
        Assert.Matches("say-it created 0 3.*\n(.*\n)*.*say-it fired \\w+ manual .*\n(.*\n)*.*say-it ended \\w+ completed\n(.*\n)*.*say-it removed\n", month);
    }

    /// <summary>In order, with * for one of the file that is enabled and - for one that is not; those added by hand as they are.</summary>
    private static async Task<string> NamesAsync(TestNode node)
    {
        IReadOnlyList<CronView> crons = JsonSerializer.Deserialize((await node.RunAsync("--json", "cron", "list")).Done(), ControlJson.Default.IReadOnlyListCronView)!;
        return string.Join(' ', crons.Select(cron => cron.Name + (!cron.FromFile ? "" : cron.Enabled ? "*" : "-")));
    }

    [Fact]
    public async Task Wrong_schedules_are_refused_with_code_and_next_step()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        (await node.RunAsync("cron", "add", "good", "@daily", "--line", "echo hello")).Done();

        (await node.RunAsync("cron", "add", "bad", "61 * * * *", "--line", "echo")).Refused("AM0340", "position 1");
        (await node.RunAsync("cron", "add", "bad", "0 0 31 2 *", "--line", "echo")).Refused("AM0341");
        (await node.RunAsync("cron", "show", "nothing")).Refused("AM0342", "cron list");
        (await node.RunAsync("cron", "add", "good", "@hourly", "--line", "echo hello")).Refused("AM0343", "--replace");
        (await node.RunAsync("cron", "add", "a b", "@daily", "--line", "echo")).Refused("AM0344");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--tz", "Europe/Atlantis", "--line", "echo")).Refused("AM0345");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--on", "@nobody", "--line", "echo")).Refused("AM0302");
        (await node.RunAsync("cron", "add", "bad", "@daily")).Refused("AM0222");
        Assert.Equal(1, (await node.RunAsync("--json", "cron", "list")).Done().Split("\"schedule\"").Length - 1);
        Assert.Equal("@daily", (await CronAsync(node, "good")).Schedule);
    }

    private static async Task<CronView> CronAsync(TestNode node, string name) =>
        JsonSerializer.Deserialize((await node.RunAsync("--json", "cron", "show", name)).Done(), ControlJson.Default.CronView)!;
}
