using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using AgentMesh.Node.Control;
using AgentMesh.Workers.Shims;

namespace AgentMesh.Cli.Demo;

/// <summary>What the demo shows, in order. Every line goes through the command line, as a user's would.</summary>
internal sealed partial class DemoScript
{
    private const int Lines = 200;
    private const string Counter = "i=1; while [ $i -le 200 ]; do echo \"line $i\"; i=$((i+1)); sleep 0.01; done";

    private readonly DemoReport _report;
    private readonly string _directory;
    private readonly DemoNode _laptop;
    private readonly DemoNode _gpu;
    private readonly DemoNode _lab;

    public DemoScript(DemoReport report, string directory)
    {
        _report = report;
        _directory = directory;
        _laptop = new DemoNode("laptop", Path.Combine(directory, "laptop"));
        _gpu = new DemoNode("gpu-box", Path.Combine(directory, "gpu-box"));
        _lab = new DemoNode("lab", Path.Combine(directory, "lab"));
    }

    private IEnumerable<DemoNode> All => [_laptop, _gpu, _lab];

    public async Task RunAsync(CancellationToken cancel)
    {
        (string Title, Func<Task> Show)[] parts =
        [
            ("Three nodes, each a process with a data directory of its own", Start),
            ("Pairing: a code or a link that works once, the same six digits on both sides", Pair),
            ("Commands: one line, one durable job", Commands),
            ("Grants: programs run only where they were allowed", Grants),
            ("A sweep: a durable job for each row of a table, on whichever device is free", Sweep),
            ("The executing node is killed with -9 in mid-job", KillExecutingNode),
            ("The calling node is killed with -9 in mid-job", KillCallingNode),
            ("A repeat with the same key returns the first result", Repeat),
        ];
        foreach ((string title, Func<Task> show) in parts)
        {
            cancel.ThrowIfCancellationRequested();
            _report.Part(title);
            await show().ConfigureAwait(false);
        }
    }

    /// <returns>True where something is left.</returns>
    public async Task<bool> CleanUpAsync(bool keep)
    {
        foreach (DemoNode node in All.Where(node => node.IsRunning()))
        {
            await node.AgentMesh("down", "--end-programs").ConfigureAwait(false);
            if (node.IsRunning())
            {
                node.KillHard();
            }
        }

        int programs = All.Sum(node => LivingPrograms.Count(Path.Combine(node.Directory, "spool")));
        if (!keep)
        {
            Directory.Delete(_directory, recursive: true);
        }

        return programs > 0 || All.Any(node => node.IsRunning()) || (!keep && Directory.Exists(_directory));
    }

    private async Task Start()
    {
        Directory.CreateDirectory(_gpu.Directory);

        // An alias in the file format of KAI NetworkPeer.
        await File.WriteAllTextAsync(Path.Combine(_gpu.Directory, "peer_config.json"), """{ "listenPort": 0, "autoListen": true, "commands": { "add": "calc 1+2" } }""").ConfigureAwait(false);
        Answer[] started = await Task.WhenAll(All.Select(node => node.UpAsync())).ConfigureAwait(false);
        foreach ((DemoNode node, Answer answer) in All.Zip(started))
        {
            _report.Typed(node.Name, "up --detach");
            _report.Said(answer.Error);
        }

        _report.Check("three nodes are up", started.All(answer => answer.Code == 0), string.Join("; ", started.Select(answer => answer.Error)));
    }

    private async Task Pair()
    {
        Task<Answer> waiting = _laptop.Beside("invite", "--code", "--wait");
        string code = await WaitFor(async () => CodeIn((await _laptop.AgentMesh("invitations").ConfigureAwait(false)).Out)).ConfigureAwait(false) ?? "";
        _report.Typed("laptop", "invite --code --wait");
        _report.Said(code);
        Answer joined = await Show(_gpu, "join", code, "--at", await AddressOf(_laptop).ConfigureAwait(false)).ConfigureAwait(false);
        Answer seen = await waiting.ConfigureAwait(false);
        _report.Check("both sides show the same six check digits", DigitsIn(joined.Out) is { } digits && digits == DigitsIn(seen.Out), joined.Out + joined.Error + seen.Out + seen.Error);

        Answer again = await _lab.AgentMesh("join", code, "--at", await AddressOf(_laptop).ConfigureAwait(false)).ConfigureAwait(false);
        _report.Check("the used code is refused", again.Code == 255 && again.Error.Contains("AM01", StringComparison.Ordinal), again.Out + again.Error);

        Answer second = await _laptop.AgentMesh("invite", "--link").ConfigureAwait(false);
        _report.Typed("laptop", "invite --link");
        await Show(_lab, "join", LinkIn(second.Out) ?? "").ConfigureAwait(false);
        bool together = await WaitFor(async () => await MembersOf(_lab).ConfigureAwait(false) == 3 && await MembersOf(_gpu).ConfigureAwait(false) == 3 ? "yes" : null).ConfigureAwait(false) is not null;
        Answer status = await Show(_lab, "peers").ConfigureAwait(false);
        _report.Check("the three are one cluster; gpu-box and lab met through laptop", together, status.Out);
    }

    private async Task Commands()
    {
        Answer sum = await Show(_laptop, "@gpu-box", "calc", "1+2").ConfigureAwait(false);
        _report.Check("@gpu-box calc 1+2 prints 3", sum is { Code: 0, Out: "3\n" }, sum.Out + sum.Error);

        Answer other = await Show(_lab, "@gpu-box", "calc", "2^100").ConfigureAwait(false);
        _report.Check("a device that was never invited by gpu-box reaches it too", other.Out == "1267650600228229401496703205376\n", other.Out + other.Error);

        Answer alias = await Show(_laptop, "@gpu-box", "add").ConfigureAwait(false);
        _report.Check("an alias of peer_config.json answers with the sentence", AliasSentence().IsMatch(alias.Out), alias.Out + alias.Error);

        Answer all = await Show(_laptop, "@all", "status").ConfigureAwait(false);
        _report.Check("@all status answers for every device", All.All(node => all.Out.Contains(node.Name, StringComparison.Ordinal)), all.Out + all.Error);

        Answer wrong = await Show(_laptop, "@gpu-box", "calc", "1+*2").ConfigureAwait(false);
        _report.Check("a wrong expression is refused with its position", wrong.Code != 0 && wrong.Error.Contains("position 3", StringComparison.Ordinal), wrong.Out + wrong.Error);

        Answer unknown = await Show(_laptop, "@gpu-bx", "calc", "1").ConfigureAwait(false);
        _report.Check("a device that nobody knows is refused with the known names", unknown.Code == 255 && unknown.Error.Contains("gpu-box", StringComparison.Ordinal), unknown.Out + unknown.Error);
    }

    private async Task Grants()
    {
        Answer refused = await Show(_laptop, "run", "@gpu-box", "--", "uname").ConfigureAwait(false);
        _report.Check("run is refused before the grant", refused.Code != 0 && refused.Error.Contains("AM03", StringComparison.Ordinal) && refused.Out.Length == 0, refused.Out + refused.Error);

        await Show(_gpu, "grant", "laptop", "run").ConfigureAwait(false);
        Answer ran = await Show(_laptop, "run", "@gpu-box", "--", "uname").ConfigureAwait(false);
        _report.Check("and accepted after it", ran.Code == 0 && ran.Out.Trim().Length > 0, ran.Out + ran.Error);

        Answer code = await Show(_laptop, "run", "@gpu-box", "--", "sh", "-c", "echo out; echo err >&2; exit 7").ConfigureAwait(false);
        _report.Check("stdout, stderr and the exit code come back apart", code is { Code: 7, Out: "out\n" } && code.Error.StartsWith("err\n", StringComparison.Ordinal), code.Out + code.Error);
    }

    private async Task Sweep()
    {
        await Show(_lab, "grant", "laptop", "run").ConfigureAwait(false);
        string table = Path.Combine(_directory, "grid.csv");
        string[] rows = [.. Enumerable.Range(1, 12).Select(row => string.Create(CultureInfo.InvariantCulture, $"{row},{row % 4}"))];
        await File.WriteAllTextAsync(table, string.Join('\n', ["x,y", .. rows])).ConfigureAwait(false);
        Answer swept = await Show(_laptop, "map", "--params", table, "--on", "@gpu-box,lab", "--max-parallel", "4", "--", "sh", "-c", "sleep 0.2; echo $(($1 * $2))", "-", "{x}", "{y}").ConfigureAwait(false);
        _report.Check("every row is done once, on both workers", swept.Code == 0 && swept.Out.Contains("12 completed of 12", StringComparison.Ordinal)
            && swept.Out.Contains("gpu-box", StringComparison.Ordinal) && swept.Out.Contains(" lab ", StringComparison.Ordinal), swept.Out + swept.Error);
        string array = swept.Out.Split('\n').LastOrDefault(line => line.StartsWith("a-", StringComparison.Ordinal))?.Split(' ')[0] ?? "none";
        Answer eleven = await Show(_laptop, "job", "logs", $"{array}/11").ConfigureAwait(false);
        _report.Check("the output of row 11 is 33", eleven.Out == "33\n", eleven.Out + eleven.Error);
    }

    private async Task KillExecutingNode()
    {
        string job = (await Show(_laptop, "run", "@gpu-box", "--detach", "--", "sh", "-c", Counter).ConfigureAwait(false)).FirstLine;
        await OutputBegins(job).ConfigureAwait(false);
        _report.Said("kill -9 gpu-box; start it again");
        _gpu.KillHard();
        Answer up = await _gpu.UpAsync().ConfigureAwait(false);
        _report.Check("gpu-box is up again", up.Code == 0, up.Error);
        JobView? ended = await Ended(job).ConfigureAwait(false);
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
        string job = (await Show(_laptop, "run", "@gpu-box", "--detach", "--", "sh", "-c", Counter).ConfigureAwait(false)).FirstLine;
        await OutputBegins(job).ConfigureAwait(false);
        _report.Said("kill -9 laptop; start it again");
        _laptop.KillHard();
        Answer up = await _laptop.UpAsync().ConfigureAwait(false);
        _report.Check("laptop is up again", up.Code == 0, up.Error);
        JobView? ended = await Ended(job).ConfigureAwait(false);
        _report.Check("the job went on meanwhile and completes", ended is { State: "completed" }, $"{ended}");
        await CheckLines(job).ConfigureAwait(false);
    }

    private async Task Repeat()
    {
        string[] line = ["--key", "demo-1", "@gpu-box", "calc", "6*7"];
        Answer first = await Show(_laptop, line).ConfigureAwait(false);
        Answer second = await Show(_laptop, ["--json", .. line[..2], "@gpu-box", "calc", "6*7"]).ConfigureAwait(false);
        Answer jobs = await _laptop.AgentMesh("--json", "job", "list").ConfigureAwait(false);
        int recorded = Regex.Count(jobs.Out, "\"idempotencyKey\":\"demo-1\"", RegexOptions.None, TimeSpan.FromSeconds(1));
        _report.Check("one job, one result, told twice", first.Out == "42\n" && second.Out.Contains("\"result\":\"42\"", StringComparison.Ordinal) && recorded == 1, first.Out + second.Out + $"{recorded} jobs");
    }

    private async Task CheckLines(string job)
    {
        string expected = string.Concat(Enumerable.Range(1, Lines).Select(i => $"line {i}\n"));
        Answer whole = await Show(_laptop, "job", "logs", job).ConfigureAwait(false);
        _report.Check("the final attempt's output has every line exactly once", whole.Out == expected, $"{whole.Out.Split('\n').Length - 1} lines; {whole.Error}");

        int offset = expected.Length / 2;
        Answer rest = await _laptop.AgentMesh("job", "logs", job, "--from", $"{offset}").ConfigureAwait(false);
        _report.Check($"a reader that resumes at byte {offset} sees neither gap nor duplicate", rest.Out == expected[offset..], rest.Out + rest.Error);
    }

    private async Task<Answer> Show(DemoNode node, params string[] words)
    {
        _report.Typed(node.Name, string.Join(' ', words.Select(word => word.Any(c => " ;&$\"'".Contains(c, StringComparison.Ordinal)) ? $"'{word}'" : word)));
        Answer answer = await node.AgentMesh(words).ConfigureAwait(false);
        _report.Said(answer.Out + answer.Error);
        return answer;
    }

    private async Task OutputBegins(string job) => await WaitFor(async () =>
    {
        Answer logs = await _laptop.AgentMesh("job", "logs", job).ConfigureAwait(false);
        return logs.Out.Contains("line 20\n", StringComparison.Ordinal) ? "yes" : null;
    }).ConfigureAwait(false);

    private async Task<JobView?> Ended(string job)
    {
        JobView? view = null;
        await WaitFor(async () =>
        {
            view = Json<JobView>(await _laptop.AgentMesh("--json", "job", "show", job).ConfigureAwait(false), ControlJson.Default.JobView);
            return view is { State: "completed" or "failed" or "paused" or "cancelled" } ? "yes" : null;
        }).ConfigureAwait(false);
        return view;
    }

    private static async Task<string> AddressOf(DemoNode node) =>
        Json<StatusView>(await node.AgentMesh("--json", "status").ConfigureAwait(false), ControlJson.Default.StatusView)?.Addresses[0] ?? "";

    private static async Task<int> MembersOf(DemoNode node) =>
        Json<StatusView>(await node.AgentMesh("--json", "status").ConfigureAwait(false), ControlJson.Default.StatusView)?.Members.Count(member => member is { Status: "up", Reachable: true }) ?? 0;

    private static T? Json<T>(Answer answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return answer.Code == 0 ? JsonSerializer.Deserialize(answer.Out, type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Asks until there is an answer, at most 20 s; null then.</summary>
    private static async Task<string?> WaitFor(Func<Task<string?>> ask)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20))
        {
            if (await ask().ConfigureAwait(false) is { } answer)
            {
                return answer;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
        }

        return null;
    }

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
