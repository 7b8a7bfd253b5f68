using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Ended jobs are removed, with a real node.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task Ended_jobs_are_removed_as_wholes_and_not_while_another_job_needs_them_across_a_kill()
    {
        await using TestNode node = await TestNode.StartAsync("keeper");
        Assert.Equal("once\n", (await node.RunAsync("run", "--key", "k1", "--", "echo", "once")).Done());
        (await node.RunAsync("run", "--array", "1-2", "--", "echo", "element-{}")).Done();
        string gate = Path.Combine(node.Data, "gate");
        string needed = (await node.RunAsync("run", "--detach", "--", "echo", "needed")).Done().Trim();
        string waiting = (await node.RunAsync("run", "--detach", "--after", $"ok:{needed}", "--", "sh", "-c", $"until [ -e {gate} ]; do sleep 0.1; done")).Done().Trim();
        string keyed = Assert.Single((await JobsAsync(node)).Jobs, job => job.IdempotencyKey == "k1").Id;
        await Eventually.HoldsAsync(async () => (await node.JobAsync(waiting)).State == "running", "the job that came after another one runs");

        // Two elements, and the one with the key; the one that is needed stays, and the one that runs.
        PrunedView would = await UntilAsync(node, pruned => pruned.Jobs >= 1 && pruned.Arrays == 1, "--before", "10s", "--dry-run");
        Assert.True(would.DryRun);
        Assert.Equal(3, (await JobsAsync(node)).Jobs.Count);
        await UntilAsync(node, pruned => pruned is { Arrays: 1, Jobs: 3 }, "--before", "10s");
        Assert.Equal([waiting, needed], (await JobsAsync(node)).Jobs.Select(job => job.ShortId).OrderBy(id => id == needed));
        Assert.Empty((await JobsAsync(node)).Arrays);
        foreach (string verb in new[] { "show", "logs", "cancel" })
        {
            foreach (string id in new[] { keyed, keyed[^7..] })
            {
                Ran asked = await node.RunAsync("job", verb, id);
                Assert.True(asked.Code != 0 && asked.Error.Contains("AM0457", StringComparison.Ordinal), $"{verb} {id}: {asked}");
            }
        }

        node.KillHard();
        await node.UpAsync();
        Assert.Equal("needed\n", (await node.RunAsync("job", "logs", needed)).Done());
        Assert.Equal(2, (await JobsAsync(node)).Jobs.Count);

        // A repeat with the key of a job that is not there any more runs, under the same id, as the newest.
        Assert.Equal("once\n", (await node.RunAsync("run", "--key", "k1", "--", "echo", "once")).Done());
        JobView anew = (await JobsAsync(node)).Jobs[0];
        Assert.Equal((keyed, "completed", 1), (anew.Id, anew.State, anew.Attempt));

        File.WriteAllText(gate, "");
        await Eventually.HoldsAsync(async () => (await node.JobAsync(waiting)).State == "completed", "the job that was waited for ends");
        await UntilAsync(node, pruned => pruned.Jobs == 3, "--before", "10s");
        Assert.Empty((await JobsAsync(node)).Jobs);
    }

    [Fact]
    public async Task Steps_of_a_workflow_that_is_not_over_stay_and_go_with_it()
    {
        await using TestNode node = await TestNode.StartAsync("keeper");
        string file = Path.Combine(node.Data, "flow.yaml");
        File.WriteAllText(file, "name: flow\nsteps:\n  - name: good\n    run: echo kept\n  - name: bad\n    needs: [good]\n    run: exit 3\n");
        Ran begun = await node.RunAsync("--json", "workflow", "run", file, "--detach");
        Assert.True(begun.Code == 0, begun.ToString());
        await Eventually.HoldsAsync(async () => Assert.Single(await WorkflowsAsync(node)).State == "paused", "the workflow is paused");
        Assert.Equal("free\n", (await node.RunAsync("run", "--", "echo", "free")).Done());
        await UntilAsync(node, pruned => pruned is { Jobs: 1, Workflows: 0 }, "--before", "10s");
        Assert.Equal(2, (await JobsAsync(node)).Jobs.Count);
        string flow = Assert.Single(await WorkflowsAsync(node)).ShortId;
        (await node.RunAsync("workflow", "cancel", flow)).Done();
        await UntilAsync(node, pruned => pruned is { Jobs: 2, Workflows: 1 }, "--before", "10s");
        Assert.Empty((await JobsAsync(node)).Jobs);
        Ran asked = await node.RunAsync("workflow", "show", flow);
        Assert.True(asked.Code != 0 && asked.Error.Contains("AM0457", StringComparison.Ordinal), asked.ToString());
    }

    private static async Task<IReadOnlyList<WorkflowView>> WorkflowsAsync(TestNode node) =>
        System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync("--json", "workflow", "list")).Done(), ControlJson.Default.IReadOnlyListWorkflowView)!;

    /// <summary>What has just ended stays for ten seconds.</summary>
    private static async Task<PrunedView> UntilAsync(TestNode node, Func<PrunedView, bool> isAsWanted, params string[] options)
    {
        PrunedView? last = null, sum = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                last = System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync(["--json", "job", "prune", .. options])).Done(), ControlJson.Default.PrunedView)!;
                sum = last.DryRun || sum is null ? last : sum with { Jobs = sum.Jobs + last.Jobs, Arrays = sum.Arrays + last.Arrays, Workflows = sum.Workflows + last.Workflows };
                return isAsWanted(sum);
            },
            "what may go is removed",
            TimeSpan.FromMinutes(2));
        return sum!;
    }

    private static async Task<JobPage> JobsAsync(TestNode node) =>
        System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!;
}
