using System.Globalization;
using System.Text.RegularExpressions;
using AgentMesh.Node.Control;
using AgentMesh.Workers.Shims;

namespace AgentMesh.Cli.Demo;

/// <summary>What the demo shows, in order. Every line goes through the command line, as a user's would.</summary>
internal sealed partial class DemoScript
{
    private const int Lines = 200;
    private const string Counter = "i=1; while [ $i -le 200 ]; do echo \"line $i\"; i=$((i+1)); sleep 0.01; done";

    private readonly DemoStage _stage;
    private readonly DemoWork _work;
    private readonly DemoNats _nats;
    private readonly DemoReport _report;
    private readonly DemoNode _laptop;
    private readonly DemoNode _gpu;
    private readonly DemoNode _lab;

    public DemoScript(DemoStage stage)
    {
        _stage = stage;
        _work = new DemoWork(stage);
        _nats = new DemoNats(stage);
        (_report, _laptop, _gpu, _lab) = (stage.Report, stage.Laptop, stage.Gpu, stage.Lab);
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        (string Title, Func<Task> Show)[] parts =
        [
            ("Three nodes, each a process with a data directory of its own", Start),
            ("Pairing: a code or a link that works once, the same six digits on both sides", Pair),
            ("Commands: one line, one durable job", Commands),
            ("Grants: programs run only where they were allowed", Grants),
            ("A sweep: a durable job for each row of a table, on whichever device is free", _work.Sweep),
            ("A pipe across three devices: what one writes the next one reads", _work.Pipe),
            ("A workflow: a step that fails pauses it, a person mends the step, and it goes on", _work.Workflow),
            ("A schedule fires once, though its node is killed with -9", _work.Schedule),
            ("The executing node is killed with -9 in mid-job", KillExecutingNode),
            ("The calling node is killed with -9 in mid-job", KillCallingNode),
            ("A repeat with the same key returns the first result", Repeat),
            ("Two homes behind NATs: found by a code over a beacon, relayed, then direct, and a path lost in mid-transfer", _nats.ShowAsync),
        ];
        foreach ((string title, Func<Task> show) in parts)
        {
            cancel.ThrowIfCancellationRequested();
            _report.Part(title);

            // Ctrl+C ends the part where it is: what it waits for may take longer than the time that is left to clean up.
            await show().WaitAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <returns>True where something is left.</returns>
    public async Task<bool> CleanUpAsync(bool keep)
    {
        DemoNode[] nodes = [.. _stage.All, .. _stage.Further];
        await Task.WhenAll(nodes.Select(node => node.EndAsync())).ConfigureAwait(false);
        _nats.Dispose();
        int programs = nodes.Sum(node => LivingPrograms.Count(Path.Combine(node.Directory, "spool")));
        if (!keep)
        {
            await DeleteAsync().ConfigureAwait(false);
        }

        return programs > 0 || nodes.Any(node => node.IsRunning()) || (!keep && Directory.Exists(_stage.Directory));
    }

    // Commands of a part that was broken off may still be ending, and files go while they are being deleted.
    private async Task DeleteAsync()
    {
        for (int attempt = 0; attempt < 50 && Directory.Exists(_stage.Directory); attempt++)
        {
            try
            {
                Directory.Delete(_stage.Directory, recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System).ConfigureAwait(false);
            }
        }
    }

    private async Task Start()
    {
        Directory.CreateDirectory(_gpu.Directory);

        // An alias in the file format of KAI NetworkPeer.
        await File.WriteAllTextAsync(Path.Combine(_gpu.Directory, "peer_config.json"), """{ "listenPort": 0, "autoListen": true, "commands": { "add": "calc 1+2" } }""").ConfigureAwait(false);
        Answer[] started = await Task.WhenAll(_stage.All.Select(node => node.UpAsync())).ConfigureAwait(false);
        foreach ((DemoNode node, Answer answer) in _stage.All.Zip(started))
        {
            _report.Typed(node.Name, "up --detach");
            _report.Said(answer.Error);
        }

        _report.Check("three nodes are up", started.All(answer => answer.Code == 0), string.Join("; ", started.Select(answer => answer.Error)));
    }

    private async Task Pair()
    {
        Task<Answer> waiting = _laptop.Beside("invite", "--code", "--wait");
        string code = await DemoStage.WaitFor(async () => CodeIn((await _laptop.AgentMesh("invitations").ConfigureAwait(false)).Out)).ConfigureAwait(false) ?? "";
        _report.Typed("laptop", "invite --code --wait");
        _report.Said(code);
        Answer joined = await _stage.Show(_gpu, "join", code, "--at", await DemoStage.AddressOf(_laptop).ConfigureAwait(false)).ConfigureAwait(false);
        Answer seen = await waiting.ConfigureAwait(false);
        _report.Check("both sides show the same six check digits", DigitsIn(joined.Out) is { } digits && digits == DigitsIn(seen.Out), joined.Out + joined.Error + seen.Out + seen.Error);

        Answer again = await _lab.AgentMesh("join", code, "--at", await DemoStage.AddressOf(_laptop).ConfigureAwait(false)).ConfigureAwait(false);
        _report.Check("the used code is refused", again.Code == 255 && again.Error.Contains("AM01", StringComparison.Ordinal), again.Out + again.Error);

        Answer second = await _laptop.AgentMesh("invite", "--link").ConfigureAwait(false);
        _report.Typed("laptop", "invite --link");
        await _stage.Show(_lab, "join", LinkIn(second.Out) ?? "").ConfigureAwait(false);
        bool together = await DemoStage.WaitFor(async () => await DemoStage.MembersOf(_lab).ConfigureAwait(false) == 3 && await DemoStage.MembersOf(_gpu).ConfigureAwait(false) == 3 ? "yes" : null).ConfigureAwait(false) is not null;
        Answer status = await _stage.Show(_lab, "peers").ConfigureAwait(false);
        _report.Check("the three are one cluster; gpu-box and lab met through laptop", together, status.Out);
    }

    private async Task Commands()
    {
        Answer sum = await _stage.Show(_laptop, "@gpu-box", "calc", "1+2").ConfigureAwait(false);
        _report.Check("@gpu-box calc 1+2 prints 3", sum is { Code: 0, Out: "3\n" }, sum.Out + sum.Error);

        Answer other = await _stage.Show(_lab, "@gpu-box", "calc", "2^100").ConfigureAwait(false);
        _report.Check("a device that was never invited by gpu-box reaches it too", other.Out == "1267650600228229401496703205376\n", other.Out + other.Error);

        Answer alias = await _stage.Show(_laptop, "@gpu-box", "add").ConfigureAwait(false);
        _report.Check("an alias of peer_config.json answers with the sentence", AliasSentence().IsMatch(alias.Out), alias.Out + alias.Error);

        Answer all = await _stage.Show(_laptop, "@all", "status").ConfigureAwait(false);
        _report.Check("@all status answers for every device", _stage.All.All(node => all.Out.Contains(node.Name, StringComparison.Ordinal)), all.Out + all.Error);

        Answer wrong = await _stage.Show(_laptop, "@gpu-box", "calc", "1+*2").ConfigureAwait(false);
        _report.Check("a wrong expression is refused with its position", wrong.Code != 0 && wrong.Error.Contains("position 3", StringComparison.Ordinal), wrong.Out + wrong.Error);

        Answer unknown = await _stage.Show(_laptop, "@gpu-bx", "calc", "1").ConfigureAwait(false);
        _report.Check("a device that nobody knows is refused with the known names", unknown.Code == 255 && unknown.Error.Contains("gpu-box", StringComparison.Ordinal), unknown.Out + unknown.Error);
    }

    private async Task Grants()
    {
        Answer refused = await _stage.Show(_laptop, "run", "@gpu-box", "--", "uname").ConfigureAwait(false);
        _report.Check("run is refused before the grant", refused.Code != 0 && refused.Error.Contains("AM03", StringComparison.Ordinal) && refused.Out.Length == 0, refused.Out + refused.Error);

        await _stage.Show(_gpu, "grant", "laptop", "run").ConfigureAwait(false);
        Answer ran = await _stage.Show(_laptop, "run", "@gpu-box", "--", "uname").ConfigureAwait(false);
        _report.Check("and accepted after it", ran.Code == 0 && ran.Out.Trim().Length > 0, ran.Out + ran.Error);

        Answer code = await _stage.Show(_laptop, "run", "@gpu-box", "--", "sh", "-c", "echo out; echo err >&2; exit 7").ConfigureAwait(false);
        _report.Check("stdout, stderr and the exit code come back apart", code is { Code: 7, Out: "out\n" } && code.Error.StartsWith("err\n", StringComparison.Ordinal), code.Out + code.Error);
    }

    private async Task KillExecutingNode()
    {
        string job = (await _stage.Show(_laptop, "run", "@gpu-box", "--detach", "--", "sh", "-c", Counter).ConfigureAwait(false)).FirstLine;
        await OutputBegins(job).ConfigureAwait(false);
        _report.Said("kill -9 gpu-box; start it again");
        _gpu.KillHard();
        Answer up = await _gpu.UpAsync().ConfigureAwait(false);
        _report.Check("gpu-box is up again", up.Code == 0, up.Error);
        JobView? ended = await _stage.Ended(job).ConfigureAwait(false);
        if (OperatingSystem.IsLinux())
        {
            _report.Check("the program went on meanwhile: the job completes with its first attempt", ended is { State: "completed", Attempt: 1 }, $"{ended}");
        }
        else
        {
            _report.Check("the job completes with a further attempt", ended is { State: "completed", Attempt: > 1 }, $"{ended}");
        }

        await CheckLines(job).ConfigureAwait(false);
    }

    private async Task KillCallingNode()
    {
        string job = (await _stage.Show(_laptop, "run", "@gpu-box", "--detach", "--", "sh", "-c", Counter).ConfigureAwait(false)).FirstLine;
        await OutputBegins(job).ConfigureAwait(false);
        _report.Said("kill -9 laptop; start it again");
        _laptop.KillHard();
        Answer up = await _laptop.UpAsync().ConfigureAwait(false);
        _report.Check("laptop is up again", up.Code == 0, up.Error);
        JobView? ended = await _stage.Ended(job).ConfigureAwait(false);
        _report.Check("the job went on meanwhile and completes", ended is { State: "completed" }, $"{ended}");
        await CheckLines(job).ConfigureAwait(false);
    }

    private async Task Repeat()
    {
        string[] line = ["--key", "demo-1", "@gpu-box", "calc", "6*7"];
        Answer first = await _stage.Show(_laptop, line).ConfigureAwait(false);
        Answer second = await _stage.Show(_laptop, ["--json", .. line[..2], "@gpu-box", "calc", "6*7"]).ConfigureAwait(false);
        Answer jobs = await _laptop.AgentMesh("--json", "job", "list").ConfigureAwait(false);
        int recorded = Regex.Count(jobs.Out, "\"idempotencyKey\":\"demo-1\"", RegexOptions.None, TimeSpan.FromSeconds(1));
        _report.Check("one job, one result, told twice", first.Out == "42\n" && second.Out.Contains("\"result\":\"42\"", StringComparison.Ordinal) && recorded == 1, first.Out + second.Out + $"{recorded} jobs");
    }

    private async Task CheckLines(string job)
    {
        string expected = string.Concat(Enumerable.Range(1, Lines).Select(i => $"line {i}\n"));
        Answer whole = await _stage.Show(_laptop, "job", "logs", job).ConfigureAwait(false);
        _report.Check("the final attempt's output has every line exactly once", whole.Out == expected, $"{whole.Out.Split('\n').Length - 1} lines; {whole.Error}");

        int offset = expected.Length / 2;
        Answer rest = await _laptop.AgentMesh("job", "logs", job, "--from", $"{offset}").ConfigureAwait(false);
        _report.Check($"a reader that resumes at byte {offset} sees neither gap nor duplicate", rest.Out == expected[offset..], rest.Out + rest.Error);
    }

    private async Task OutputBegins(string job) => await DemoStage.WaitFor(async () =>
    {
        Answer logs = await _laptop.AgentMesh("job", "logs", job).ConfigureAwait(false);
        return logs.Out.Contains("line 20\n", StringComparison.Ordinal) ? "yes" : null;
    }).ConfigureAwait(false);

    private static string? LinkIn(string text) => Link().Match(text) is { Success: true } found ? found.Value : null;

    private static string? DigitsIn(string text) => Digits().Match(text) is { Success: true } found ? found.Groups[1].Value : null;

    private static string? CodeIn(string text) => Code().Match(text) is { Success: true } found ? found.Value : null;

    [GeneratedRegex(@"\b[A-Z]+-[A-Z]+-\d{4}\b", RegexOptions.None, 1000)]
    private static partial Regex Code();

    [GeneratedRegex(@"agentmesh://\S+", RegexOptions.None, 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"check digits: (\d{3} ?\d{3})", RegexOptions.None, 1000)]
    private static partial Regex Digits();

    [GeneratedRegex(@"^Result from 127\.0\.0\.1:\d+ for command 'add': 3\n$", RegexOptions.None, 1000)]
    private static partial Regex AliasSentence();
}
