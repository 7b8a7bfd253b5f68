using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Shim;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>Real shims and programs. Everything that is waited for is an event; nothing depends on how quick the machine is.</summary>
public sealed class TakeOverTests
{
    [Fact]
    public async Task A_program_goes_on_without_its_node_and_the_next_one_has_every_line_once_and_the_exit_code()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script($"i=1; while [ $i -le 400 ]; do echo $i; i=$((i+1)); sleep 0.005; done; echo err >&2; exit 7"));
        string text = "";
        for (int kill = 0; kill < 5; kill++)
        {
            long before = run.Spool!.Length(SpoolStream.Stdout);
            await ShimLab.Until(() => run.Spool.Length(SpoolStream.Stdout) > before || run.Ended.IsCompleted, "more output");
            text += await lab.Take(run);
            run = await lab.LeaveAndTakeOver();
        }

        AttemptResult end = await ShimLab.End(run);
        text += await lab.Take(run);

        Assert.Equal(ShimLab.Key(), run.Order.Key);
        Assert.Equal(string.Concat(Enumerable.Range(1, 400).Select(i => i + "\n")), text);
        Assert.Equal((AttemptOutcome.Failed, 7, 4L, "sum"), (end.Outcome, end.ExitCode, end.StderrBytes, end.Alias));
        Assert.Equal("err\n", await lab.Take(run, SpoolStream.Stderr));
    }

    [Fact]
    public async Task What_a_program_uses_stays_in_use_while_its_node_is_away()
    {
        await using var lab = new ShimLab { Admission = new AdmissionSettings(ResourceAmounts.Parse(["gpu=1"]), 8, 8) };
        JobNeeds gpu = JobNeeds.Parse(["gpu=1"], 3, "train");
        Execution run = await lab.Start(ShimLab.Script($"while [ ! -e {lab.File("go")} ]; do sleep 0.01; done") with { Needs = gpu });
        run = await lab.LeaveAndTakeOver();
        Assert.Equal(gpu, run.Order.Needs);
        Assert.Equal(0, lab.Node.Admission.Free["gpu"]);

        Execution next = lab.Node.StartOrGet(ShimLab.Program("true") with { Key = ShimLab.Key(9), Needs = gpu });
        Assert.False(next.HasStarted);
        File.WriteAllText(lab.File("go"), "");
        await ShimLab.End(run);
        Assert.Equal(AttemptOutcome.Succeeded, (await ShimLab.End(next)).Outcome);
        Assert.Equal(1_000, lab.Node.Admission.Free["gpu"]);
    }

    [Fact]
    public async Task An_end_that_came_without_a_node_is_told_by_the_next_one()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script($"while [ ! -e {lab.File("go")} ]; do sleep 0.01; done; echo out; exit 3"));
        string directory = run.Spool!.Directory;
        await lab.Leave();
        File.WriteAllText(lab.File("go"), "");
        await ShimLab.Until(() => File.Exists(Path.Combine(directory, ShimFiles.End)), "the end is recorded");

        Assert.Equal(new TakenOver(0, 1, 0), lab.Up());

        run = Assert.Single(lab.Node.All);
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Failed, 3, 4L), (end.Outcome, end.ExitCode, end.StdoutBytes));
        Assert.False(run.Settled.IsCompleted);
        Assert.Equal("out\n", await lab.Take(run));
        await run.Settled.WaitAsync(TimeSpan.FromSeconds(30));
        lab.Node.AcknowledgeEnd(run.Order.Key);
        lab.Node.RemoveWhenDone(run);
        Assert.Empty(Directory.GetDirectories(lab.Spool));
    }

    [Fact]
    public async Task When_its_shim_is_killed_the_program_ends_and_the_attempt_is_lost()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script($"(setsid sh -c 'echo $$ > {lab.File("away")}; exec sleep 300' &); echo $$ > {lab.File("program")}; exec sleep 300"));
        int program = await lab.ProcessIn("program"), away = await lab.ProcessIn("away");

        _ = Native.Kill(ShimLab.Record(run)!.Shim.Id, Native.SigKill);
        AttemptResult end = await ShimLab.End(run);

        Assert.Equal((AttemptOutcome.Lost, WorkerErrors.ShimLost), (end.Outcome, end.Problem?.Code));
        await ShimLab.Until(() => !ShimLab.IsAlive(program) && !ShimLab.IsAlive(away), "the program and what left its group end");
    }

    [Fact]
    public async Task A_shim_that_is_killed_before_it_says_that_the_program_runs_leaves_a_lost_attempt()
    {
        string directory = Directory.CreateTempSubdirectory("am-silent-").FullName, ran = Path.Combine(directory, "ran");

        // What the shim says goes nowhere; when the program has run, the shim is killed.
        string silent = $"'{ShimLab.Command.Program}' {string.Join(' ', ShimLab.Command.Arguments.Select(each => $"'{each}'"))} \"$0\" >/dev/null 2>&1 & while [ ! -e {ran} ]; do sleep 0.01; done; kill -9 $!";
        try
        {
            await using var lab = new ShimLab { StartedWith = new ShimCommand("/bin/sh", ["-c", silent], IsNative: false) };

            AttemptResult end = await ShimLab.End(await lab.Start(ShimLab.Script($"echo > {ran}; exec sleep 300")));

            Assert.Equal((AttemptOutcome.Lost, WorkerErrors.ShimLost), (end.Outcome, end.Problem?.Code));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_shim_that_cannot_begin_refuses_the_attempt_with_its_reason()
    {
        await using var lab = new ShimLab { StartedWith = new ShimCommand("/bin/sh", ["-c", "echo no memory; exit 1"], IsNative: false) };

        AttemptResult end = await ShimLab.End(await lab.Start(ShimLab.Script("exit 0")));

        Assert.Equal((AttemptOutcome.Refused, WorkerErrors.ShimNotStarted), (end.Outcome, end.Problem?.Code));
        Assert.Contains("no memory", end.Problem!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_node_and_shim_were_killed_the_next_node_knows_nothing_of_the_attempt_and_leaves_nothing()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script($"(setsid sh -c 'echo $$ > {lab.File("away")}; exec sleep 300' &); exec sleep 300"));
        int away = await lab.ProcessIn("away");
        ShimRecord record = ShimLab.Record(run)!;
        await lab.Leave();
        _ = Native.Kill(record.Shim.Id, Native.SigKill);
        await ShimLab.Until(() => !record.Shim.IsAlive && !record.Program.IsAlive, "the guard ends with its shim");

        Assert.Equal(new TakenOver(0, 0, 1), lab.Up());

        Assert.Empty(lab.Node.All);
        Assert.False(ShimLab.IsAlive(away));
        Assert.Empty(Directory.GetDirectories(lab.Spool));
    }

    [Fact]
    public async Task A_program_that_was_taken_over_is_cancelled_with_everything_it_started()
    {
        await using var lab = new ShimLab();
        await lab.Start(ShimLab.Script($"(setsid sh -c 'echo $$ > {lab.File("away")}; exec sleep 300' &); trap '' TERM; while :; do sleep 0.05; done"));
        int away = await lab.ProcessIn("away");
        Execution run = await lab.LeaveAndTakeOver();
        ShimRecord record = ShimLab.Record(run)!;

        run.Cancel();
        AttemptResult end = await ShimLab.End(run);

        Assert.Equal((AttemptOutcome.Cancelled, 137), (end.Outcome, end.ExitCode));
        await ShimLab.Until(() => !ShimLab.IsAlive(away) && !record.Shim.IsAlive, "everything ends");
    }

    [Fact]
    public async Task A_shim_that_does_not_answer_is_killed_with_its_program()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("sleep", "300"));
        ShimRecord record = ShimLab.Record(run)!;
        _ = Native.Kill(record.Shim.Id, 19);

        run.Cancel();

        Assert.Equal(AttemptOutcome.Cancelled, (await ShimLab.End(run)).Outcome);
        await ShimLab.Until(() => !record.Program.IsAlive && !record.Shim.IsAlive, "shim and program end");
    }

    [Fact]
    public async Task A_timeout_counts_while_there_is_no_node()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("sleep", "300") with { Timeout = TimeSpan.FromSeconds(1) });
        string directory = run.Spool!.Directory;
        await lab.Leave();
        await ShimLab.Until(() => File.Exists(Path.Combine(directory, ShimFiles.End)), "the timeout ends it");
        lab.Up();

        AttemptResult end = await ShimLab.End(Assert.Single(lab.Node.All));

        Assert.Equal((AttemptOutcome.TimedOut, WorkerErrors.AttemptTimedOut), (end.Outcome, end.Problem?.Code));
    }

    [Fact]
    public async Task A_program_whose_node_does_not_come_back_ends_with_its_lease()
    {
        await using var lab = new ShimLab { Lease = TimeSpan.FromSeconds(1) };
        Execution run = await lab.Start(ShimLab.Program("sleep", "300"));
        ShimRecord record = ShimLab.Record(run)!;
        string directory = run.Spool!.Directory;
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.True(record.Program.IsAlive);

        await lab.Leave();
        await ShimLab.Until(() => File.Exists(Path.Combine(directory, ShimFiles.End)), "the lease ends it");
        await ShimLab.Until(() => !record.Shim.IsAlive, "the shim ends");
        lab.Up();
        Assert.Equal(WorkerErrors.LeaseOver, (await ShimLab.End(Assert.Single(lab.Node.All))).Problem?.Code);
    }

    [Fact]
    public async Task The_spool_of_a_program_that_writes_without_end_stays_below_its_bound()
    {
        const long Bound = 3 * 1024 * 1024;
        await using var lab = new ShimLab { SpoolBytesMax = Bound };
        Execution run = await lab.Start(ShimLab.Program("yes"));
        long taken = 0, mostOnDisk = 0;
        while (taken < 40 * Bound)
        {
            Task changed = run.Spool!.Changed;
            taken += (await lab.Take(run)).Length;
            mostOnDisk = Math.Max(mostOnDisk, Directory.GetFiles(run.Spool.Directory).Sum(file => new FileInfo(file) is { Exists: true } there ? there.Length : 0));
            if (run.Spool.Length(SpoolStream.Stdout) == taken)
            {
                await changed.WaitAsync(TimeSpan.FromSeconds(30));
            }
        }

        Assert.InRange(mostOnDisk, 1, Bound + (2 * ShimFiles.SegmentBytes));

        // Nobody takes any more: it stops at the bound, also for the next node.
        await ShimLab.Until(() => run.Spool!.Length(SpoolStream.Stdout) - taken >= Bound - (64 * 1024), "the spool is full");
        run = await lab.LeaveAndTakeOver();
        await ShimLab.Until(() => run.Spool!.Length(SpoolStream.Stdout) - taken >= Bound - (64 * 1024), "the spool is full");
        Assert.InRange(run.Spool!.Length(SpoolStream.Stdout) - run.Spool.Acknowledged(SpoolStream.Stdout), 1, Bound + ShimFiles.SegmentBytes);
        run.Cancel();
        await ShimLab.End(run);
    }

    [Fact]
    public async Task A_number_that_another_process_has_now_is_not_mistaken_for_the_shim()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("sleep", "300"));
        ShimRecord record = ShimLab.Record(run)!;
        await lab.Leave();

        // The shim first, or it writes down how its program ended.
        _ = Native.Kill(record.Shim.Id, 9);
        await ShimLab.Until(() => !record.Shim.IsAlive, "the shim ends");
        ShimProcess.End(record);
        await ShimLab.Until(() => !record.Program.IsAlive, "the program ends");
        ProcessIdentity other = ProcessIdentity.Of(Environment.ProcessId)!.Value;
        (record with { Shim = other with { Start = record.Shim.Start }, Program = other with { Start = record.Program.Start } }).Write(Path.Combine(run.Spool!.Directory, ShimFiles.Record));

        Assert.Equal(new TakenOver(0, 0, 1), lab.Up());
    }

    [Fact]
    public async Task A_deep_data_directory_is_no_hindrance()
    {
        await using var lab = new ShimLab(string.Join('/', Enumerable.Repeat("a-long-name-for-a-directory", 6)));
        await lab.Start(ShimLab.Script($"while [ ! -e {lab.File("go")} ]; do sleep 0.01; done; echo deep"));
        Execution run = await lab.LeaveAndTakeOver();
        File.WriteAllText(lab.File("go"), "");

        Assert.Equal(AttemptOutcome.Succeeded, (await ShimLab.End(run)).Outcome);
        Assert.Equal("deep\n", await lab.Take(run));
    }
}
