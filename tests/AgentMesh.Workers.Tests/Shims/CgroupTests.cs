using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Cgroups;

namespace AgentMesh.Workers.Tests.Shims;

public sealed class CgroupTests
{
    [Theory]
    [InlineData(new[] { "mem=8G" }, "memory.max 8589934592")]
    [InlineData(new[] { "cpu=1.5", "gpu=1" }, "cpu.max 150000 100000")]
    [InlineData(new[] { "cpu=0.001" }, "cpu.max 1000 100000")]
    [InlineData(new[] { "pids=100" }, "pids.max 100")]
    [InlineData(new string[0], "")]
    public void What_a_job_asks_for_becomes_a_limit(string[] asked, string written) =>
        Assert.Equal(written, string.Join('\n', JobCgroup.FilesOf(ResourceAmounts.Parse(asked)).Select(each => $"{each.File} {each.Value}")));

    [Fact]
    public void What_was_used_is_read_where_it_is_counted()
    {
        string directory = Directory.CreateTempSubdirectory("am-cgroup-").FullName;
        var group = new JobCgroup(directory);
        Assert.Null(group.Usage());
        File.WriteAllText(Path.Combine(directory, "cpu.stat"), "usage_usec 1500000\nuser_usec 1000000\n");
        Assert.Equal(new ProgramUsage(TimeSpan.FromSeconds(1.5), null), group.Usage());
        File.WriteAllText(Path.Combine(directory, "memory.peak"), "4096\n");
        File.WriteAllText(Path.Combine(directory, "memory.events"), "low 0\noom 1\noom_kill 1\n");
        Assert.Equal(new ProgramUsage(TimeSpan.FromSeconds(1.5), 4096) { IsOutOfMemory = true }, group.Usage());
        Directory.Delete(directory, recursive: true);
    }

    [SkippableFact]
    public async Task What_gets_away_from_its_group_and_its_environment_ends_with_the_program_and_its_time_is_counted()
    {
        await using var lab = new ShimLab { Cgroups = Tree() };
        Execution run = await lab.Start(ShimLab.Script($"env -i setsid sh -c 'echo $$ > {lab.File("away")}; exec sleep 300' & until test -s {lab.File("away")}; do sleep 0.05; done; exit 3"));
        int away = await lab.ProcessIn("away");
        AttemptResult result = await ShimLab.End(run);
        Assert.Equal(3, result.ExitCode);
        Assert.True(result.Usage?.Cpu > TimeSpan.Zero);
        Assert.False(ShimLab.IsAlive(away));
        Assert.Empty(Directory.GetDirectories(lab.Cgroups!.Directory));
    }

    [SkippableFact]
    public async Task What_a_killed_supervisor_leaves_is_ended_by_the_next_start()
    {
        await using var lab = new ShimLab { Cgroups = Tree() };
        Execution run = await lab.Start(ShimLab.Script($"env -i setsid sh -c 'echo $$ > {lab.File("away")}; exec sleep 300' & sleep 300"));
        int away = await lab.ProcessIn("away");
        string spool = run.Spool!.Directory;
        ShimRecord record = ShimLab.Record(run)!;
        await lab.Leave();
        System.Diagnostics.Process.GetProcessById(record.Shim.Id).Kill();
        await ShimLab.Until(() => !ShimLab.IsAlive(record.Program.Id), "the guard ends its group");
        Assert.True(ShimLab.IsAlive(away));
        Directory.Delete(spool, recursive: true);

        lab.Up();
        await ShimLab.Until(() => !ShimLab.IsAlive(away), "the sweep ends it");
    }

    [SkippableFact]
    public void What_killed_nodes_have_left_empty_is_removed_by_the_next_start_of_any_and_that_of_a_living_one_stays()
    {
        CgroupTree tree = Tree();
        string own = Path.Combine(tree.Directory, "own"), empty = Path.Combine(own, "agentmesh-aaaaaaaa"), living = Path.Combine(own, "agentmesh-bbbbbbbb"), used = Path.Combine(own, "agentmesh-cccccccc");
        string fresh = Path.Combine(own, "agentmesh-dddddddd"), ended = Path.Combine(own, "agentmesh-eeeeeeee"), another = Path.Combine(own, "agentmesh-node"), mine = Path.Combine(own, "agentmesh-ffffffff");
        using var program = System.Diagnostics.Process.Start("sleep", "300");
        try
        {
            foreach (string each in (string[])[empty, living, Path.Combine(used, "job"), Path.Combine(ended, "job"), another, mine])
            {
                Directory.CreateDirectory(each);
            }

            using FileStream mark = CgroupLeavings.Mark(living)!;
            File.WriteAllText(Path.Combine(used, "job", "cgroup.procs"), program.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            CgroupLeavings.Sweep(own, "agentmesh-", mine, now);
            Assert.True(Directory.Exists(empty));

            CgroupLeavings.Sweep(own, "agentmesh-", mine, now + TimeSpan.FromHours(2));
            Assert.Equal([living, used, ended, mine, another], Directory.GetDirectories(own).Order(StringComparer.Ordinal));
            CgroupLeavings.Sweep(own, "agentmesh-", mine, now + TimeSpan.FromDays(2));
            Assert.Equal([living, used, mine, another], Directory.GetDirectories(own).Order(StringComparer.Ordinal));
            Directory.CreateDirectory(fresh);
            mark.Dispose();
            CgroupLeavings.Sweep(own, "agentmesh-", mine, now + TimeSpan.FromHours(2));
            Assert.False(Directory.Exists(living));
        }
        finally
        {
            program.Kill();
            program.WaitForExit();
            foreach (string left in Directory.EnumerateDirectories(tree.Directory, "*", SearchOption.AllDirectories).OrderByDescending(each => each.Length).ToArray())
            {
                new JobCgroup(left).Remove();
            }

            tree.Leave();
        }
    }

    private static CgroupTree Tree()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "not as root");
        CgroupTree? tree = CgroupTree.TryOpen("test-" + Guid.NewGuid().ToString("N")[..8], limits: false, TimeProvider.System.GetUtcNow(), out string whyNot);
        Skip.If(tree is null, whyNot);
        return tree;
    }
}
