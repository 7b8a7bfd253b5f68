using System.Diagnostics;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Attempts;

/// <summary>Real processes: what is promised of them cannot be shown with doubles.</summary>
public class ExecutionTableTests : IAsyncLifetime
{
    private static readonly DeviceId Device = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly Caller Caller = new(Device, "laptop", "user");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-workers-").FullName;
    private readonly HandlerRegistry _handlers;
    private ExecutionTable _table = null!;

    public ExecutionTableTests() => _handlers = BuiltIns.CreateRegistry(new DeviceFacts("test", _directory, TimeProvider.System));

    /// <summary>Null: programs end with the node.</summary>
    protected virtual ShimSettings? Shims => null;

    public Task InitializeAsync()
    {
        _table = Create();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _table.DisposeAsync();

        // A shim may record its end still.
        Leftovers.Remove(_directory);
    }

    [Fact]
    public async Task A_program_keeps_its_streams_apart_and_its_exit_code()
    {
        Execution run = _table.StartOrGet(Program("sh", "-c", "echo out; echo err >&2; exit 7"));

        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Failed, 7, 4L, 4L), (end.Outcome, end.ExitCode, end.StdoutBytes, end.StderrBytes));
        Assert.Equal("out\n", await Text(run, SpoolStream.Stdout));
        Assert.Equal("err\n", await Text(run, SpoolStream.Stderr));
    }

    [Fact]
    public async Task Arguments_reach_the_program_as_they_are()
    {
        Execution run = _table.StartOrGet(Program("printf", "%s|", "a b", "$HOME", "*", "\"", "'; rm x", ""));

        await run.Ended.WaitAsync(Patience);

        Assert.Equal("a b|$HOME|*|\"|'; rm x||", await Text(run, SpoolStream.Stdout));
    }

    [Fact]
    public async Task The_program_sees_its_job_and_attempt_and_no_input()
    {
        Execution run = _table.StartOrGet(Program("sh", "-c", "cat; echo $AGENTMESH_JOB $AGENTMESH_ATTEMPT $AGENTMESH_CALLER"));

        await run.Ended.WaitAsync(Patience);

        Assert.Equal($"{Key("1").Job} 1 laptop\n", await Text(run, SpoolStream.Stdout));
    }

    [Fact]
    public async Task The_same_attempt_is_started_once()
    {
        AttemptOrder order = Program("sh", "-c", "echo once");

        Execution first = _table.StartOrGet(order), second = _table.StartOrGet(order);

        Assert.Same(first, second);
        await first.Ended.WaitAsync(Patience);
        Assert.Equal("once\n", await Text(first, SpoolStream.Stdout));
    }

    [Fact]
    public async Task A_missing_program_is_refused_with_a_code()
    {
        AttemptResult end = await _table.StartOrGet(Program("no-such-program-here")).Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Refused, WorkerErrors.ProgramNotStarted), (end.Outcome, end.Problem?.Code));
    }

    [Fact]
    public async Task Cancelling_ends_the_program_and_everything_it_started()
    {
        string file = Path.Combine(_directory, "grandchild");
        Execution run = _table.StartOrGet(Program("sh", "-c", $"sleep 300 & echo $! > {file}.new; mv {file}.new {file}; wait"));
        await Until(() => File.Exists(file));
        int grandchild = int.Parse(File.ReadAllText(file).Trim());

        run.Cancel();
        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal(AttemptOutcome.Cancelled, end.Outcome);
        await Until(() => !IsAlive(grandchild));
    }

    [Fact]
    public async Task Standard_error_of_a_program_that_a_signal_ends_holds_only_what_the_program_wrote()
    {
        AttemptOrder order = Program("sh", "-c", "echo err >&2; kill -TERM $$");
        Execution run = _table.StartOrGet(order);

        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Failed, 143), (end.Outcome, end.ExitCode));
        Assert.Equal("err\n", await Text(run, SpoolStream.Stderr));
    }

    [Fact]
    public async Task A_file_that_cannot_be_executed_says_so_on_standard_error()
    {
        string file = Path.Combine(_directory, "no-program");
        File.WriteAllBytes(file, [0x7f, (byte)'E', (byte)'L', (byte)'F', 0, 0]);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        Execution run = _table.StartOrGet(Program(file));

        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal(AttemptOutcome.Failed, end.Outcome);
        Assert.NotEmpty(await Text(run, SpoolStream.Stderr));
    }

    [Fact]
    public async Task A_program_that_ignores_the_request_is_killed()
    {
        string file = Path.Combine(_directory, "ready");
        Execution run = _table.StartOrGet(Program("sh", "-c", $"trap '' TERM; touch {file}; while :; do sleep 0.05; done"));
        await Until(() => File.Exists(file));

        run.Cancel();
        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Cancelled, 137), (end.Outcome, end.ExitCode));
    }

    [Fact]
    public async Task What_a_program_leaves_in_its_group_ends_with_it()
    {
        string file = Path.Combine(_directory, "left");
        Execution run = _table.StartOrGet(Program("sh", "-c", $"sleep 300 & echo $! > {file}"));

        AttemptResult end = await run.Ended.WaitAsync(Patience);

        Assert.Equal(AttemptOutcome.Succeeded, end.Outcome);
        int left = int.Parse(File.ReadAllText(file).Trim());
        await Until(() => !IsAlive(left));
    }

    [Fact]
    public async Task The_group_ends_when_the_node_that_started_it_is_killed()
    {
        // A shell stands in for the node: it holds the guard's pipe and is killed.
        string file = Path.Combine(_directory, "orphan");
        using Process node = Process.Start(new ProcessStartInfo("sh", ["-c", $"sleep 1000 | setsid sh -c '{GuardForTest}' guard sh -c 'echo $$ > {file}.new; mv {file}.new {file}; sleep 300'"]) { UseShellExecute = false })!;
        await Until(() => File.Exists(file));
        int program = int.Parse(File.ReadAllText(file).Trim());
        Assert.True(IsAlive(program));

        using (Process killer = Process.Start(new ProcessStartInfo("pkill", ["-KILL", "-P", $"{node.Id}", "sleep"]) { UseShellExecute = false })!)
        {
            await killer.WaitForExitAsync();
        }

        await Until(() => !IsAlive(program));
        await node.WaitForExitAsync();
    }

    [Fact]
    public async Task A_timeout_ends_the_attempt_with_its_code()
    {
        AttemptResult end = await _table.StartOrGet(Program("sleep", "300") with { Timeout = TimeSpan.FromMilliseconds(200) }).Ended.WaitAsync(Patience);

        Assert.True((end.Outcome, end.Problem?.Code) == (AttemptOutcome.TimedOut, WorkerErrors.AttemptTimedOut), end.ToString());
    }

    [Fact]
    public async Task A_full_spool_makes_the_program_wait_until_the_home_has_taken_output()
    {
        await _table.DisposeAsync();
        _table = Create(spoolBytesMax: 64 * 1024);
        Execution run = _table.StartOrGet(Program("head", "-c", "1000000", "/dev/zero"));
        await Until(() => run.Spool!.Length(SpoolStream.Stdout) > 0);

        long seen = 0;
        while (!run.Ended.IsCompleted || seen < run.Spool!.Length(SpoolStream.Stdout))
        {
            Task changed = run.Spool!.Changed;
            long length = run.Spool.Length(SpoolStream.Stdout);
            Assert.True(length - seen <= 96 * 1024, $"{length - seen} bytes wait");
            if (length == seen)
            {
                await Task.WhenAny(changed, run.Ended).WaitAsync(Patience);
            }

            seen = length;
            run.Spool.Acknowledge(SpoolStream.Stdout, seen);
        }

        Assert.Equal(1_000_000, (await run.Ended).StdoutBytes);
    }

    [Fact]
    public async Task An_attempt_goes_when_its_end_and_its_output_are_at_the_home()
    {
        Execution run = _table.StartOrGet(Program("echo", "hello"));
        await run.Ended.WaitAsync(Patience);

        Assert.Equal(6, run.Spool!.Length(SpoolStream.Stdout));
        _table.AcknowledgeEnd(run.Order.Key);
        Assert.True(_table.TryGet(run.Order.Key, out _));
        run.Spool!.Acknowledge(SpoolStream.Stdout, 6);
        _table.RemoveWhenDone(run);

        Assert.False(_table.TryGet(run.Order.Key, out _));
        Assert.False(Directory.Exists(run.Spool.Directory));
    }

    [Fact]
    public async Task More_than_the_bound_is_refused()
    {
        await _table.DisposeAsync();
        _table = Create(running: 1, queued: 1);
        Execution first = _table.StartOrGet(Program("sleep", "300"));
        Execution second = _table.StartOrGet(Program("echo", "second") with { Key = Key("2") });

        MeshException error = Assert.Throws<MeshException>(() => _table.StartOrGet(Program("echo", "third") with { Key = Key("3") }));

        Assert.Equal(WorkerErrors.Busy, error.Code);
        Assert.False(second.HasStarted);
        first.Cancel();
        Assert.Equal(AttemptOutcome.Succeeded, (await second.Ended.WaitAsync(Patience)).Outcome);
    }

    [Theory]
    [InlineData("calc 1+2", "3")]
    [InlineData("  calc   2^10 ", "1024")]
    [InlineData("echo a  b", "a  b")]
    [InlineData("CALC 1", "1")]
    public async Task A_handler_answers_with_text(string line, string result)
    {
        AttemptResult end = await _table.StartOrGet(Handler(line)).Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Succeeded, result), (end.Outcome, end.Text));
    }

    [Theory]
    [InlineData("calc 1+*2", WorkerErrors.Expression)]
    [InlineData("frobnicate 1", WorkerErrors.UnknownCommand)]
    [InlineData("help frobnicate", WorkerErrors.UnknownCommand)]
    public async Task A_wrong_line_is_refused_with_a_code(string line, string code)
    {
        AttemptResult end = await _table.StartOrGet(Handler(line)).Ended.WaitAsync(Patience);

        Assert.Equal((AttemptOutcome.Refused, code), (end.Outcome, end.Problem?.Code));
    }

    [Fact]
    public async Task Status_measures_and_both_names_answer()
    {
        foreach (string line in new[] { "status", "system status" })
        {
            AttemptResult end = await _table.StartOrGet(Handler(line)).Ended.WaitAsync(Patience);
            Assert.Contains("device: test", end.Text, StringComparison.Ordinal);
            Assert.Matches(@"memory: [\d.]+ (GiB|MiB) free of", end.Text);
        }
    }

    [Fact]
    public async Task An_attempt_waits_for_what_another_uses_and_begins_when_it_is_free()
    {
        _table = Create(has: "gpu=1");
        string go = Path.Combine(_directory, "go");
        JobNeeds gpu = JobNeeds.Parse(["gpu=1"], null, null);
        Execution first = _table.StartOrGet(Program("sh", "-c", $"while [ ! -e {go} ]; do sleep 0.01; done") with { Needs = gpu });
        Execution second = _table.StartOrGet(Program("true") with { Key = Key("2"), Needs = gpu });
        Execution free = _table.StartOrGet(Handler("calc 1+2"));

        Assert.Equal("3", (await free.Ended.WaitAsync(Patience)).Text);
        Assert.True(first.HasStarted);
        Assert.Equal((false, $"gpu on test: 1 of 1 in use by job {first.Order.Key.Job.Short} of laptop"), (second.HasStarted, second.Waiting));
        Assert.Equal((0L, 1), (_table.Admission.Free["gpu"], _table.Admission.Waiting));

        File.WriteAllText(go, "");
        await second.Begun.WaitAsync(Patience);
        Assert.Null(second.Waiting);
        Assert.Equal(AttemptOutcome.Succeeded, (await second.Ended.WaitAsync(Patience)).Outcome);
        Assert.Equal(1_000, _table.Admission.Free["gpu"]);
    }

    [Fact]
    public async Task An_attempt_that_is_cancelled_while_it_waits_never_begins()
    {
        _table = Create(has: "gpu=1");
        JobNeeds gpu = JobNeeds.Parse(["gpu=1"], null, null);
        Execution first = _table.StartOrGet(Program("sleep", "300") with { Needs = gpu });
        Execution second = _table.StartOrGet(Program("true") with { Key = Key("2"), Needs = gpu });

        second.Cancel();
        Assert.Equal(AttemptOutcome.Cancelled, (await second.Ended.WaitAsync(Patience)).Outcome);
        Assert.False(second.HasStarted);
        first.Cancel();
        await first.Ended.WaitAsync(Patience);
        Assert.Equal((1_000L, 0), (_table.Admission.Free["gpu"], _table.Admission.Waiting));
    }

    [Fact]
    public void What_the_device_does_not_have_is_refused()
    {
        _table = Create(has: "gpu=1");
        MeshException refused = Assert.Throws<MeshException>(() => _table.StartOrGet(Handler("calc 1") with { Needs = JobNeeds.Parse(["gpu=2"], null, null) }));
        Assert.Equal((WorkerErrors.TooFewResources, "test has 1 gpu in all, and 2 is asked for"), (refused.Code, refused.Message));
        Assert.Empty(_table.All);
    }

    private static string GuardForTest => "exec 3<&0 </dev/null; trap : TERM INT HUP; (trap \"\" TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & watcher=$!; \"$@\" 3<&-; exit";

    private ExecutionTable Create(long spoolBytesMax = 1 << 30, int running = 8, int queued = 8, string has = "cpu=8") => new(
        new ExecutionTools("test", _handlers, ProcessLauncher.ForThisPlatform(), new ProcessLedger(Path.Combine(_directory, "running")), _directory, TimeSpan.FromSeconds(1), TimeProvider.System, Shims),
        Path.Combine(_directory, "spool"),
        spoolBytesMax,
        new AdmissionSettings(ResourceAmounts.Parse([has]), running, queued));

    private static AttemptKey Key(string name) => new(JobId.FromIdempotencyKey(Device, TestRun.Key("table " + name)), 1);

    private static AttemptOrder Program(params string[] words) => new(Key("1"), "", words, Caller, null, null);

    private static AttemptOrder Handler(string line) => new(Key(line), line, [], Caller, null, null);

    private static async Task<string> Text(Execution run, SpoolStream stream)
    {
        byte[] bytes = new byte[run.Spool!.Length(stream)];
        int read = await run.Spool.ReadAsync(stream, 0, bytes, CancellationToken.None);
        return Encoding.UTF8.GetString(bytes, 0, read);
    }

    // A zombie that its new parent has not reaped yet counts as ended.
    private static bool IsAlive(int process) => File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static async Task Until(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Patience, "the condition did not come true");
            await Task.Delay(10);
        }
    }
}
