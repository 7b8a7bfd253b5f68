using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Demo;

/// <summary>The parts about work that is more than one command.</summary>
internal sealed class DemoWork(DemoStage stage)
{
    private readonly DemoReport _report = stage.Report;
    private readonly DemoNode _laptop = stage.Laptop;

    public async Task Sweep()
    {
        await stage.Show(stage.Lab, "grant", "laptop", "run").ConfigureAwait(false);
        string table = Path.Combine(stage.Directory, "grid.csv");
        string[] rows = [.. Enumerable.Range(1, 12).Select(row => string.Create(CultureInfo.InvariantCulture, $"{row},{row % 4}"))];
        await File.WriteAllTextAsync(table, string.Join('\n', ["x,y", .. rows])).ConfigureAwait(false);
        string array = (await stage.Show(
            _laptop, "map", "--params", table, "--on", "@gpu-box,lab", "--max-parallel", "4", "--detach", "--", "sh", "-c", "sleep 0.3; echo $(($1 * $2))", "-", "{x}", "{y}").ConfigureAwait(false)).FirstLine;
        Answer watched = await stage.Show(_laptop, "watch", array, "--every", "200ms").ConfigureAwait(false);
        string[] steps = watched.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _report.Check("its progress is told as it goes", watched.Code == 0 && steps.Length >= 3 && steps[^1].Contains("100 %", StringComparison.Ordinal), watched.Out + watched.Error);

        Answer swept = await stage.Show(_laptop, "job", "show", array).ConfigureAwait(false);
        _report.Check("every row is done once, on both workers", swept.Out.Contains("12 completed of 12", StringComparison.Ordinal)
            && swept.Out.Contains("gpu-box", StringComparison.Ordinal) && swept.Out.Contains(" lab ", StringComparison.Ordinal), swept.Out + swept.Error);
        Answer eleven = await stage.Show(_laptop, "job", "logs", $"{array}/11").ConfigureAwait(false);
        _report.Check("the output of row 11 is 33", eleven.Out == "33\n", eleven.Out + eleven.Error);
    }

    public async Task Pipe()
    {
        Answer first = await stage.Show(_laptop, "@lab seq 100000 | @gpu-box sort -rn | @laptop head -3").ConfigureAwait(false);
        _report.Check("the greatest three, and the reader that has enough ends those before it", first is { Code: 0, Out: "100000\n99999\n99998\n" }, first.Out + first.Error);
        Answer failing = await stage.Show(_laptop, "pipe", "--pipefail", "@lab sh -c 'echo 7; exit 3' | @gpu-box cat").ConfigureAwait(false);
        _report.Check("the exit code of each stage is told", failing is { Code: 3, Out: "7\n" } && failing.Error.Contains("lab 3, gpu-box 0", StringComparison.Ordinal), failing.Out + failing.Error);
    }

    public async Task Workflow()
    {
        string file = Path.Combine(stage.Directory, "nightly.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            name: nightly
            steps:
              - name: prepare
                on: "@lab"
                run: echo 41
              - name: train
                on: "@gpu-box"
                needs: [prepare]
                run: expr {{steps.prepare.result}} + one
              - name: report
                needs: [train]
                command: echo the answer is {{steps.train.result}}
            """).ConfigureAwait(false);
        Answer paused = await stage.Show(_laptop, "workflow", "run", file).ConfigureAwait(false);
        string id = paused.Error.Split(':')[0];
        _report.Check("the step that fails pauses it, and what comes after waits", paused.Code == 1 && paused.Out.Contains("train failed", StringComparison.Ordinal)
            && paused.Out.Contains("report waiting", StringComparison.Ordinal), paused.Out + paused.Error);

        await stage.Show(_laptop, "workflow", "edit", id, "train", "--shell", "expr {{steps.prepare.result}} + 1").ConfigureAwait(false);
        Answer resumed = await stage.Show(_laptop, "workflow", "resume", id, "--follow").ConfigureAwait(false);
        _report.Check("mended and resumed it completes, from the step that failed", resumed.Code == 0 && resumed.Out.Contains("the answer is 42", StringComparison.Ordinal), resumed.Out + resumed.Error);
        Answer jobs = await _laptop.AgentMesh("job", "list", "--limit", "20").ConfigureAwait(false);
        _report.Check("the step before it ran once", jobs.Out.Split('\n').Count(line => line.Contains("/prepare]", StringComparison.Ordinal)) == 1, jobs.Out);
    }

    public async Task Schedule()
    {
        await stage.Show(_laptop, "cron", "add", "at-start", "@reboot", "--", "sh", "-c", "sleep 2; echo started").ConfigureAwait(false);
        for (int kill = 1; kill <= 2; kill++)
        {
            _report.Said("kill -9 laptop; start it again");
            _laptop.KillHard();
            await _laptop.UpAsync().ConfigureAwait(false);
            await DemoStage.WaitFor(async () => (await Look().ConfigureAwait(false))?.Runs.Count > 0 ? "yes" : null).ConfigureAwait(false);
        }

        CronView? seen = null;
        await DemoStage.WaitFor(async () => (seen = await Look().ConfigureAwait(false))?.Runs is [{ State: "completed" }, ..] ? "yes" : null).ConfigureAwait(false);
        await stage.Show(_laptop, "cron", "runs", "at-start").ConfigureAwait(false);
        _report.Check("killed twice, the second time in mid-run: one run, and it completes", seen is { Fired: 1, Runs: [{ State: "completed" }] }, $"{seen}");
        await _laptop.AgentMesh("cron", "rm", "at-start").ConfigureAwait(false);
    }

    private async Task<CronView?> Look() => DemoStage.Json(await _laptop.AgentMesh("--json", "cron", "show", "at-start").ConfigureAwait(false), ControlJson.Default.CronView);
}
