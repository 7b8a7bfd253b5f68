using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Workflows over real nodes that are killed.</summary>
public sealed class WorkflowTests
{
    [Fact]
    public async Task A_workflow_over_two_devices_survives_kills_of_its_home_and_goes_on_after_its_failing_step_was_edited()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode other = await TestNode.StartAsync("gpu-box");
        await home.PairWithAsync(other);
        (await other.RunAsync("grant", "home", "run")).Done();
        string file = Path.Combine(home.Data, "flow.yaml"), gate = Path.Combine(home.Data, "go"), count = Path.Combine(home.Data, "count");
        File.WriteAllText(file, $$$"""
            vars: { who: nobody }
            steps:
              - name: prepare
                run: "echo once >> {{{count}}}; echo 41"
              - name: wait
                on: "@gpu-box"
                needs: [prepare]
                env: { GATE: "{{{gate}}}", WHO: "{{vars.who}}" }
                run: "while test ! -e $GATE; do sleep 0.1; done; echo $WHO"
              - name: train
                on: "@gpu-box,home"
                needs: [wait]
                run: "false"
              - name: report
                needs: [train]
                command: echo {{steps.wait.result}} has {{steps.train.result}}
            """);
        string id = (await home.RunAsync("workflow", "run", file, "--set", "who=ada", "--detach")).Done().Trim();
        await Eventually.HoldsAsync(async () => StateOf(await Show(home, id), "wait") == "running", "the second step runs");
        home.KillHard();
        File.WriteAllText(gate, "");
        await home.UpAsync();

        Ran followed = await home.RunAsync("workflow", "show", id, "--follow");
        Assert.Equal(1, followed.Code);
        Assert.Contains("AM0323", followed.Error, StringComparison.Ordinal);
        WorkflowView paused = await Show(home, id);
        Assert.Equal(("paused", "completed", "failed", "waiting"), (paused.State, StateOf(paused, "wait"), StateOf(paused, "train"), StateOf(paused, "report")));
        Assert.Equal(["gpu-box", "home"], paused.Steps[2].Jobs.Select(job => job.Device).Order());
        (await home.RunAsync("workflow", "retry", id, "wait")).Refused("AM0311", "completed");
        (await home.RunAsync("workflow", "edit", id, "trian", "--attempts", "2")).Refused("AM0373", "did you mean 'train'?");
        (await home.RunAsync("workflow", "edit", id, "train", "--on", "@gpu-box", "--shell", "echo {{steps.prepare.result}}1")).Done();

        home.KillHard();
        await home.UpAsync();
        Ran resumed = await home.RunAsync("workflow", "resume", id, "--follow");
        Assert.Equal(0, resumed.Code);
        Assert.Contains("ada has 411", resumed.Out, StringComparison.Ordinal);
        Assert.Equal("once\n", File.ReadAllText(count));
        JobPage page = JsonSerializer.Deserialize((await home.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!;
        Assert.Equal(["prepare", "report", "train", "train", "train", "wait"], page.Jobs.Where(job => job.Workflow == paused.Id).Select(job => job.Step!).Order());
        (await home.RunAsync("job", "retry", paused.Steps[2].Jobs[0].Id)).Refused("AM0311", "workflow retry");

        string fork = (await home.RunAsync("job", "fork", (await Show(home, id)).Steps[^1].Jobs[^1].Id, "--detach")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await Show(home, fork)).State == "completed", "the fork is over");
        Assert.Equal([true, true, true, false], (await Show(home, fork)).Steps.Select(step => step.Taken));
        Assert.Equal("once\n", File.ReadAllText(count));
        Assert.Contains(fork, (await home.RunWithInputAsync($"workflow list\nworkflow show {id}\n", "repl")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_file_is_refused_with_its_place_and_nothing_is_accepted()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        string file = Path.Combine(home.Data, "bad.yaml");
        (string Text, string[] Says)[] wrong =
        [
            ("steps:\n  - name: a\n    command: echo\n    neds: [b]\n", ["AM0371", "bad.yaml:4:5:", "did you mean 'needs'?"]),
            ("steps:\n  - {name: a, command: echo, needs: [b]}\n  - {name: b, command: echo, needs: [a]}\n", ["AM0372", "a -> b -> a"]),
            ("steps:\n  - {name: a, command: echo, needs: [c]}\n", ["AM0373", "'c'"]),
            ("steps:\n  - {name: a, command: echo, on: '@label:gpu'}\n", ["AM0351", "bad.yaml:2:34:"]),
            ("steps:\n  - {name: a, command: echo, attempt-timeout: soon}\n", ["AM0380", "10s"]),
        ];
        foreach ((string text, string[] says) in wrong)
        {
            File.WriteAllText(file, text);
            (await home.RunAsync("workflow", "run", file)).Refused(says);
        }

        Assert.Equal("[]", (await home.RunAsync("--json", "workflow", "list")).Done().Trim());
    }

    private static string StateOf(WorkflowView workflow, string step) => workflow.Steps.Single(each => each.Name == step).State;

    private static async Task<WorkflowView> Show(TestNode node, string id) => JsonSerializer.Deserialize((await node.RunAsync("--json", "workflow", "show", id)).Done(), ControlJson.Default.WorkflowView)!;
}
