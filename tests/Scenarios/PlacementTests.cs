using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Resources, groups and limits with real nodes and programs.</summary>
public sealed class PlacementTests
{
    [Fact]
    public async Task The_second_job_for_the_only_gpu_waits_says_why_and_runs_after_the_first_whose_node_was_killed()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop, "agentmesh.device.resources { gpu = 1 }");
        string go = Path.Combine(gpu.Data, "go"), order = Path.Combine(gpu.Data, "order");
        string first = await Begin(laptop, "@gpu", "--resource", "gpu=1", "--", "sh", "-c", $"echo begin >> {order}; while [ ! -e {go} ]; do sleep 0.05; done; echo end >> {order}");
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(order)), "the first begins");
        string second = await Begin(laptop, "@gpu", "--resource", "gpu=1", "--", "sh", "-c", $"echo second >> {order}");
        await Waits(laptop, second, $"waiting for gpu on gpu: 1 of 1 in use by job {first} of laptop");

        // Devices that have just been paired become one cluster, and a home that starts over for that has to ask again.
        Ran why = default;
        await Eventually.HoldsAsync(
            async () => (why = await laptop.RunAsync("job", "why", second)).Out == $"{second} is placing: waiting for gpu on gpu: 1 of 1 in use by job {first} of laptop\n", () => $"it says why; it says {why}");

        // What the program uses stays in use while its node is gone, and after it has been taken over.
        gpu.KillHard();
        await Waits(laptop, second, "gpu is offline");
        await gpu.UpAsync();
        await Waits(laptop, second, $"waiting for gpu on gpu: 1 of 1 in use by job {first} of laptop");

        File.WriteAllText(go, "");
        JobView firstEnd = await AtRest(laptop, first), secondEnd = await AtRest(laptop, second);
        Assert.Equal(("completed", 1), (firstEnd.State, firstEnd.Attempt));
        Assert.Equal(("completed", "gpu=1"), (secondEnd.State, secondEnd.Resources));
        Assert.Equal("begin\nend\nsecond\n", File.ReadAllText(order));

        (await laptop.RunAsync("run", "@gpu", "--resource", "gpu=2", "--", "true")).Refused("AM0393", "gpu has 1 gpu in all, and 2 is asked for");
        (await laptop.RunAsync("run", "--resource", "gpu=1", "--", "true")).Refused("AM0393", "laptop has no gpu");
        (await laptop.RunAsync("run", "--resource", "gpu", "--", "true")).Refused("AM0390", "an amount is missing");
        (await laptop.RunAsync("run", "--priority", "11", "--", "true")).Refused("AM0391", "-10 to 10");
    }

    [Fact]
    public async Task No_more_jobs_of_a_group_run_than_its_limit_also_after_the_home_was_killed()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        Ran set = await solo.RunAsync("group", "set", "train", "--max", "1");
        Assert.Equal("train: at most 1 at the same time, 0 running, 0 waiting\n", set.Out);
        string go = Path.Combine(solo.Data, "go"), log = Path.Combine(solo.Data, "log");
        string script = $"echo begin >> {log}; while [ ! -e {go} ]; do sleep 0.05; done; echo end >> {log}";
        string first = await Begin(solo, "@solo", "--group", "train", "--", "sh", "-c", script);
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(log)), "the first begins");
        string second = await Begin(solo, "@solo", "--group", "train", "--", "sh", "-c", script);
        await Waits(solo, second, $"the group train is full: 1 of 1 places are held by {first}");

        solo.KillHard();
        await solo.UpAsync();
        await Waits(solo, second, $"the group train is full: 1 of 1 places are held by {first}");
        Assert.Equal(0, (await solo.RunAsync("group", "pause", "train")).Code);
        File.WriteAllText(go, "");
        Assert.Equal("completed", (await AtRest(solo, first)).State);
        await Waits(solo, second, "the group train is paused");
        Assert.Equal(0, (await solo.RunAsync("group", "resume", "train")).Code);
        Assert.Equal("completed", (await AtRest(solo, second)).State);
        Assert.Equal("begin\nend\nbegin\nend\n", File.ReadAllText(log));

        (await solo.RunAsync("group", "set", "train", "--max", "0")).Refused("AM0395", "1 to 1000");
        (await solo.RunAsync("group", "show", "trian")).Refused("AM0394", "no group 'trian'");
        (await solo.RunAsync("run", "--group", "a b", "--", "true")).Refused("AM0392", "letters, digits");
        Assert.Contains("train", (await solo.RunAsync("group", "list")).Out, StringComparison.Ordinal);
        Assert.Equal("train removed\n", (await solo.RunAsync("group", "rm", "train")).Out);
        Assert.DoesNotContain("train", (await solo.RunAsync("group", "list")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_beyond_the_rate_of_a_device_come_again_by_themselves_and_none_fails()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop, "agentmesh.limits.per-command { calc { commands-per-minute = 20, burst = 2 } }");
        Ran[] ran = await Task.WhenAll(Enumerable.Range(1, 4).Select(i => laptop.RunAsync("@gpu", "calc", $"{i}*2")));
        Assert.All(ran, each => Assert.True(each.Code == 0, each.ToString()));
        Assert.Equal(["2", "4", "6", "8"], ran.Select(each => each.Out.Trim()).Order(StringComparer.Ordinal));

        Ran audit = await gpu.RunAsync("audit", "--outcome", "refused");
        Assert.Contains("AM0631", audit.Out, StringComparison.Ordinal);
    }

    /// <summary>A paired device that runs programs for the laptop.</summary>
    private static async Task<TestNode> Worker(TestNode laptop, string settings)
    {
        var gpu = new TestNode("gpu");
        File.WriteAllText(Path.Combine(gpu.Data, "agentmesh.conf"), settings);
        await gpu.UpAsync();
        await laptop.PairWithAsync(gpu);
        Ran granted = await gpu.RunAsync("grant", "laptop", "run");
        Assert.True(granted.Code == 0, granted.ToString());
        return gpu;
    }

    private static async Task<string> Begin(TestNode home, params string[] words)
    {
        Ran ran = await home.RunAsync(["run", words[0], "--detach", .. words[1..]]);
        Assert.True(ran.Code == 0, ran.ToString());
        return ran.Out.Trim();
    }

    private static async Task Waits(TestNode home, string job, string why)
    {
        string? last = null;
        await Eventually.HoldsAsync(
            async () => (last = (await home.JobAsync(job)).Reason)?.Contains(why, StringComparison.Ordinal) == true,
            () => $"job {job} waits because '{why}'; it says '{last}'");
    }

    private static async Task<JobView> AtRest(TestNode home, string job)
    {
        JobView view = await home.JobAsync(job);
        await Eventually.HoldsAsync(async () => (view = await home.JobAsync(job)).State is "completed" or "failed" or "cancelled" or "paused", () => $"job {job} comes to rest; it is {view.State}: {view.Reason}");
        return view;
    }
}
