using System.Diagnostics;
using System.Globalization;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Programs that outlive their node, with real processes: of the home, of the executing device, and of the program.</summary>
public sealed class ProgramLifeTests
{
    // A line takes 50 ms and a little more.
    private const int LinesPerMinute = 1_150;

    [Fact]
    public async Task A_program_whose_node_is_killed_five_times_keeps_its_attempt_and_every_line_comes_once()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop);
        string job = await Begin(laptop, "@gpu", Counter(LinesPerMinute));
        Task<Ran> following = laptop.RunAsync("job", "logs", "--follow", job);
        for (int kill = 0; kill < 5; kill++)
        {
            long before = await Printing(laptop, job);
            await Eventually.HoldsAsync(async () => await Printing(laptop, job) > before, "more output arrives");
            gpu.KillHard();
            await gpu.UpAsync();
        }

        JobView end = await AtRest(laptop, job);
        Assert.Equal(("failed", 1, 7), (end.State, end.Attempt, end.ExitCode));
        Assert.Equal(Printed(LinesPerMinute), (await following).Out);
        Assert.Equal(Printed(LinesPerMinute), (await laptop.RunAsync("job", "logs", job)).Out);
        await NothingLeft(gpu);
    }

    [Fact]
    public async Task A_program_goes_on_when_home_and_device_are_one_node_that_is_killed_or_stopped()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        const int Lines = 300;
        string job = await Begin(solo, "@solo", Counter(Lines));
        await Eventually.HoldsAsync(async () => await Printing(solo, job) > 0, "it prints");
        solo.KillHard();
        await solo.UpAsync();
        await Eventually.HoldsAsync(async () => (await solo.JobAsync(job)).State == "running", "it runs again");
        Ran down = await solo.RunAsync("down");
        Assert.True(down.Code == 0, down.ToString());
        Assert.Contains("1 program goes on", down.Error, StringComparison.Ordinal);
        await Task.Delay(500);
        await solo.UpAsync();

        JobView end = await AtRest(solo, job);
        Assert.Equal(("failed", 1, 7), (end.State, end.Attempt, end.ExitCode));
        Assert.Equal(Printed(Lines), (await solo.RunAsync("job", "logs", job)).Out);
        await NothingLeft(solo);
    }

    [Fact]
    public async Task When_node_and_shim_are_killed_the_job_is_tried_again_and_nothing_of_the_first_attempt_is_left()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop);
        string job = await Begin(laptop, "@gpu", "echo attempt $AGENTMESH_ATTEMPT; [ $AGENTMESH_ATTEMPT = 2 ] || exec sleep 1000");
        await Eventually.HoldsAsync(async () => await Printing(laptop, job) > 0, "it prints");
        (int shim, int program) = Assert.Single(gpu.Shims());

        gpu.KillHard();
        Shell.Signal(shim, "KILL");
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists($"/proc/{program}/stat")), "the program ends with its shim");
        await gpu.UpAsync();

        JobView end = await AtRest(laptop, job);
        Assert.Equal(("completed", 2, 0), (end.State, end.Attempt, end.ExitCode));
        await NothingLeft(gpu);
    }

    [SkippableFact]
    public async Task A_program_goes_on_from_its_checkpoint_when_it_was_killed_with_its_node()
    {
        Skip.If(Shell.RunBoth("python3", "--version") is var answer && !answer.StartsWith("Python 3", StringComparison.Ordinal), $"python3 is missing: {answer}");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop);
        Ran ran = await laptop.RunAsync("run", "@gpu", "--detach", "--", "python3", Path.Combine(AppContext.BaseDirectory, "count.py"), "150");
        Assert.True(ran.Code == 0, ran.ToString());
        string job = ran.Out.Trim().Split('\n')[0];
        await Eventually.HoldsAsync(async () => await laptop.JobAsync(job) is { Checkpoint: not null, Progress: not null }, "a checkpoint is kept and progress is told");
        JobView running = await laptop.JobAsync(job);
        Assert.InRange(running.Progress!.Fraction!.Value, 0.01, 0.99);
        Assert.Equal("counting", running.Progress.Text);
        Assert.Contains("% counting", (await laptop.RunAsync("job", "list")).Out, StringComparison.Ordinal);
        Assert.Contains(job, (await laptop.RunAsync("job", "list", "--on", "gpu", "--grep", "COUNT.py", "--since", "5m", "--state", "running")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain(job, (await laptop.RunAsync("job", "list", "--on", "laptop")).Out, StringComparison.Ordinal);
        Task<Ran> watching = laptop.RunAsync("watch", job);

        gpu.KillHard();
        Shell.Signal(Assert.Single(gpu.Shims()).Shim, "KILL");
        await gpu.UpAsync();

        JobView end = await AtRest(laptop, job);
        Assert.Equal(("completed", 2), (end.State, end.Attempt));
        string history = (await laptop.RunAsync("job", "show", job, "--history")).Done();
        Assert.Matches(@"1 +[-0-9]+ [:.0-9]+ +accepted +1 +from .*@laptop, for gpu\s", history);
        Assert.Matches(@"checkpointed +1 +[0-9]+ bytes", history);
        Assert.Matches(@"retrying +1 ", history);
        Assert.Matches(@"completed +2 +exit code 0", history);
        Ran watched = await watching;
        Assert.Equal(0, watched.Code);
        Assert.Matches(@"running \[#*-*\] +[0-9]+ % counting\n", watched.Out);
        Assert.EndsWith("completed [################] 100 %\n", watched.Out, StringComparison.Ordinal);
        string[] lines = (await laptop.RunAsync("job", "logs", job)).Out.Split('\n');
        Assert.InRange(int.Parse(lines[0], CultureInfo.InvariantCulture), 2, 150);
        Assert.Equal("150", lines[^3]);
    }

    [Fact]
    public async Task A_cancel_that_is_given_while_the_node_is_down_ends_the_program_when_it_is_back()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop);
        string job = await Begin(laptop, "@gpu", "echo started; exec sleep 1000");
        await Eventually.HoldsAsync(async () => await Printing(laptop, job) > 0, "it prints");
        (int shim, int program) = Assert.Single(gpu.Shims());

        gpu.KillHard();
        Ran cancelled = await laptop.RunAsync("job", "cancel", job);
        Assert.True(cancelled.Code == 0, cancelled.ToString());
        Assert.True(File.Exists($"/proc/{program}/stat"));
        await gpu.UpAsync();

        Assert.Equal("cancelled", (await AtRest(laptop, job)).State);
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists($"/proc/{program}/stat") && !File.Exists($"/proc/{shim}/stat")), "program and shim end");
        await NothingLeft(gpu);
    }

    [Fact]
    public async Task Down_can_end_programs_and_their_jobs_are_tried_again()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        string job = await Begin(solo, "@solo", "echo attempt $AGENTMESH_ATTEMPT; [ $AGENTMESH_ATTEMPT = 2 ] || exec sleep 1000");
        await Eventually.HoldsAsync(async () => await Printing(solo, job) > 0, "it prints");
        (int shim, int program) = Assert.Single(solo.Shims());

        Assert.Equal(0, (await solo.RunAsync("down", "--end-programs")).Code);
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists($"/proc/{program}/stat") && !File.Exists($"/proc/{shim}/stat")), "program and shim end");
        await solo.UpAsync();

        JobView end = await AtRest(solo, job);
        Assert.Equal(("completed", 2), (end.State, end.Attempt));
        await NothingLeft(solo);
    }

    [Fact]
    public async Task The_spool_stays_below_its_bound_while_the_home_takes_output_and_while_it_takes_none()
    {
        const long Bound = 4 * 1024 * 1024, Segment = 1024 * 1024;
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await Worker(laptop, "agentmesh.output.spool-max = 4MiB");
        string job = await Begin(laptop, "@gpu", "exec yes");
        long most = 0;
        bool isStopped = false;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(10);)
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(3) && !isStopped)
            {
                laptop.Signal("STOP");
                isStopped = true;
            }

            most = Math.Max(most, SpoolBytes(gpu));
            await Task.Delay(20);
        }

        laptop.Signal("CONT");
        long taken = Directory.EnumerateFiles(Path.Combine(laptop.Data, "output"), "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.True(taken > 2 * Bound, $"the home took only {taken} bytes");
        Assert.InRange(most, Bound / 2, Bound + (2 * Segment));
        Assert.Equal(0, (await laptop.RunAsync("job", "cancel", job)).Code);
        Assert.Equal("cancelled", (await AtRest(laptop, job)).State);
        await NothingLeft(gpu);
    }

    [SkippableFact]
    public async Task A_program_waits_while_the_disk_of_its_device_is_full_and_loses_nothing()
    {
        const int Bytes = 30_000_000;
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using var gpu = new TestNode("gpu");
        string refused = Shell.RunBoth("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", gpu.Data);
        Skip.If(refused.Length > 0, $"a small disk cannot be mounted here: {refused}");
        try
        {
            await gpu.UpAsync();
            await laptop.PairWithAsync(gpu);
            Assert.Equal(0, (await gpu.RunAsync("grant", "laptop", "run")).Code);
            string job = await Begin(laptop, "@gpu", $"sleep 2; head -c {Bytes} /dev/zero | tr '\\0' x; exit 3");
            await Eventually.HoldsAsync(async () => (await laptop.JobAsync(job)).State == "running", "it runs");
            laptop.Signal("STOP");
            await Eventually.HoldsAsync(() => Task.FromResult(new DriveInfo(gpu.Data).AvailableFreeSpace < 8192), "the disk is full");
            await Task.Delay(1000);
            laptop.Signal("CONT");

            JobView end = await AtRest(laptop, job);
            Assert.Equal(("failed", 1, 3, (long)Bytes), (end.State, end.Attempt, end.ExitCode, end.StdoutBytes));
            Assert.Equal(new string('x', Bytes), (await laptop.RunAsync("job", "logs", job)).Out);
        }
        finally
        {
            laptop.Signal("CONT");
            await gpu.EndAsync();
            Shell.Run("umount", "-l", gpu.Data);
        }
    }

    /// <summary>A paired device that runs programs for the laptop.</summary>
    private static async Task<TestNode> Worker(TestNode laptop, string? settings = null)
    {
        TestNode gpu = await TestNode.StartAsync("gpu", settings);
        await laptop.PairWithAsync(gpu);
        Ran granted = await gpu.RunAsync("grant", "laptop", "run");
        Assert.True(granted.Code == 0, granted.ToString());
        return gpu;
    }

    private static async Task<string> Begin(TestNode home, string target, string script)
    {
        Ran ran = await home.RunAsync("run", target, "--detach", "--", "sh", "-c", script);
        Assert.True(ran.Code == 0, ran.ToString());
        return ran.Out.Trim().Split('\n')[0];
    }

    private static string Counter(int lines) => $"i=1; while [ $i -le {lines} ]; do echo \"line $i\"; i=$((i+1)); sleep 0.05; done; exit 7";

    private static string Printed(int lines) => string.Concat(Enumerable.Range(1, lines).Select(i => $"line {i}\n"));

    private static async Task<long> Printing(TestNode home, string job) => (await home.RunAsync("job", "logs", job)).Out.Length;

    private static async Task<JobView> AtRest(TestNode home, string job)
    {
        JobView view = await home.JobAsync(job);
        await Eventually.HoldsAsync(
            async () => (view = await home.JobAsync(job)).State is "completed" or "failed" or "paused" or "cancelled",
            string.Create(CultureInfo.InvariantCulture, $"the job ends; it is {view.State}, attempt {view.Attempt}"),
            TimeSpan.FromSeconds(90));
        return view;
    }

    private static long SpoolBytes(TestNode node)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(node.Data, "spool"), "std*", SearchOption.AllDirectories).Sum(file => new FileInfo(file) is { Exists: true } there ? there.Length : 0);
        }
        catch (IOException)
        {
            // Not there yet, or removed while it was looked at.
            return 0;
        }
    }

    private static Task NothingLeft(TestNode node) => Eventually.HoldsAsync(
        () => Task.FromResult(Directory.GetFileSystemEntries(Path.Combine(node.Data, "spool")).Length == 0), "the directories of attempts are removed");
}
