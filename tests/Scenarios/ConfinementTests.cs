using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>What a program can reach that another device was allowed to start, and nothing else.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ConfinementTests : IDisposable
{
    private const string Try = "#!/bin/sh\ntry() { name=$1; shift; if \"$@\" >/dev/null 2>&1; then echo $name yes; else echo $name no; fi; }\n";

    private const int Nobody = 65534;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly string _home = Directory.CreateTempSubdirectory("am-").FullName;

    public ConfinementTests()
    {
        foreach (string directory in (string[])["data", "venv", "bin"])
        {
            Directory.CreateDirectory(In(directory));
        }

        File.WriteAllText(In("diary"), "private");
        File.WriteAllText(In("venv/lib"), "library");
    }

    [SkippableFact]
    public async Task A_granted_script_reaches_its_directories_and_neither_files_nor_sockets_nor_processes_of_the_user()
    {
        Skip.IfNot(File.Exists("/usr/bin/perl"), "perl asks for the sockets");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await TestNode.StartAsync("gpu");
        await ReachesItsDirectoriesAloneAsync(laptop, gpu);
    }

    /// <summary>Root has capabilities to give up; most nodes have none, and their files are those of their user.</summary>
    [SkippableFact]
    public async Task A_node_of_an_ordinary_user_locks_it_in_the_same()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root can start a node as another user");
        Skip.IfNot(Shell.Has("setpriv"), "setpriv starts it");
        Skip.IfNot(File.Exists("/usr/bin/perl"), "perl asks for the sockets");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using var gpu = new TestNode("gpu") { User = Nobody };
        await gpu.UpAsync();
        Assert.Equal($"{Nobody}", Shell.Run("stat", "-c", "%u", $"/proc/{gpu.ProcessId}").Trim());
        await ReachesItsDirectoriesAloneAsync(laptop, gpu);
    }

    [SkippableFact]
    public async Task However_it_is_started_it_is_locked_in()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await TestNode.StartAsync("gpu");
        await CanConfineAsync(gpu);
        await PairAsync(laptop, gpu);
        string where = Script("where", $"#!/bin/sh\ncat {In("diary")} >/dev/null 2>&1 && echo free || echo locked\n");
        (await gpu.RunAsync("grant", "laptop", $"run:{where}")).Done();
        Assert.Equal("locked\n", (await laptop.RunAsync("run", "@gpu", "--", where)).Done());
        Assert.Equal("locked\n", (await laptop.RunWithInputAsync("x", "run", "-i", "@gpu", "--", where)).Done());
        Assert.Equal("locked\n", (await laptop.RunAsync("pipe", $"@gpu {where} | @laptop cat")).Done());
        Assert.Equal("free\n", (await laptop.RunAsync("run", "--", where)).Done());

        using (TestTerminal terminal = TestTerminal.Start(laptop, 80, 24, "run", "-it", "@gpu", "--", where))
        {
            await terminal.SeesAsync("locked");
            Assert.Equal(0, await terminal.ExitAsync());
        }

        string array = (await laptop.RunAsync("run", "--array", "1", "--detach", "@gpu", "--", where)).Done().Trim();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("job", "logs", $"{array}/1")).Out == "locked\n", "the element of an array is locked in");

        string file = In("workflow.yaml");
        File.WriteAllText(file, $"name: look\nsteps:\n  - name: look\n    on: \"@gpu\"\n    run: [\"{where}\"]\n  - name: tell\n    needs: [look]\n    command: echo it was {"{{steps.look.result}}"}\n");
        Assert.Contains("it was locked", (await laptop.RunAsync("workflow", "run", file)).Done(), StringComparison.Ordinal);

        (await laptop.RunAsync("cron", "add", "look", "0 3 * * *", "--on", "@gpu", "--", where)).Done();
        string job = (await laptop.RunAsync("cron", "run", "look")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("job", "logs", job)).Out == "locked\n", "the run of a schedule is locked in");

        // Off, it is as it was.
        await gpu.EndAsync();
        File.WriteAllText(Path.Combine(gpu.Data, "agentmesh.conf"), "agentmesh.grants.confine = off\n");
        await gpu.UpAsync();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("run", "@gpu", "--", where)).Out == "free\n", "the setting lets it free");
    }

    [SkippableFact]
    public async Task A_program_that_runs_over_a_kill_of_its_node_stays_locked_in_and_no_grant_reaches_the_node()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await TestNode.StartAsync("gpu");
        await CanConfineAsync(gpu);
        await PairAsync(laptop, gpu);
        string wait = Script("wait", $"#!/bin/sh\necho begun > {In("data/begun")}\nuntil test -e {In("data/go")}; do sleep 0.1; done\ncat {In("diary")} >/dev/null 2>&1 && echo free || echo locked\n");
        (await gpu.RunAsync("grant", "laptop", $"run:{wait}", $"dir:{In("data")}")).Done();
        string job = (await laptop.RunAsync("run", "--detach", "@gpu", "--", wait)).Done().Trim();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(In("data/begun"))), "it runs");
        gpu.KillHard();
        await gpu.UpAsync();
        File.WriteAllText(In("data/go"), "");
        await Eventually.HoldsAsync(async () => (await laptop.JobAsync(job)).State == "completed", "it ends well");
        Assert.Equal("locked\n", (await laptop.RunAsync("job", "logs", job)).Done());

        string script = Script("bad", $"#!{In("bin/sh")}\n");
        File.Copy("/bin/sh", In("bin/sh"));
        (await gpu.RunAsync("grant", "laptop", $"run:{script}")).Done();
        (await laptop.RunAsync("run", "@gpu", "--", script)).Refused("AM0605", "read:/PATH");
        (await gpu.RunAsync("grant", "laptop", $"read:{In("bin")}")).Done();
        (await laptop.RunAsync("run", "@gpu", "--", script)).Done();

        foreach (string grant in (string[])["dir:/", $"dir:{gpu.Data}/work", $"read:{Path.GetDirectoryName(gpu.Data)}"])
        {
            (await gpu.RunAsync("grant", "laptop", grant)).Refused("AM0178", grant);
            (await gpu.RunAsync("invite", "--link", "--grant", grant)).Refused("AM0178", grant);
        }
    }

    /// <summary>The member that takes a job over may do everything where it runs, or runs it itself; the device that asked for it may not.</summary>
    [SkippableFact]
    public async Task A_job_that_another_member_of_a_pool_takes_over_stays_locked_in()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await PoolTests.StartMemberAsync("first", database);
        await using TestNode second = await PoolTests.StartMemberAsync("second", database);
        await using TestNode worker = await TestNode.StartAsync("worker");
        await CanConfineAsync(worker);
        await PairAsync(worker, first);
        await PairAsync(worker, second);
        await PoolTests.MembersAsync(3, first, second, worker);

        // Each attempt says how it was started, and its time is over until it may end.
        string look = Script("look", $"#!/bin/sh\ncat {In("diary")} >/dev/null 2>&1 && how=free || how=locked\necho $how >> {In("data")}/$1\nuntil test -e {In("data/go")}; do sleep 0.1; done\n");
        foreach (TestNode runs in new[] { second, worker })
        {
            (await runs.RunAsync("grant", "first", $"run:{look}", $"dir:{In("data")}")).Done();
        }

        (await worker.RunAsync("grant", "second", "run")).Done();
        (await second.RunAsync("run", "--home", "lab", "--detach", "--attempts", "1", "--attempt-timeout", "2s", "@worker", "--", look, "of-second")).Done();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(In("data/of-second")) && File.ReadAllText(In("data/of-second")) == "free\n"), "who may do everything is not locked in", Bound);

        // One for each device, of those that the member has which is killed.
        var taken = new List<(string Id, string Said)>();
        foreach (string on in (string[])["@second", "@worker"])
        {
            for (int i = 0; taken.All(job => !job.Said.EndsWith(on[1..], StringComparison.Ordinal)); i++)
            {
                Assert.True(i < 20, "no shard of 20 jobs went to the first member");
                string id = (await first.RunAsync("run", "--home", "lab", "--detach", "--attempts", "100", "--attempt-timeout", "2s", on, "--", look, $"{i}-{on[1..]}")).Done().Trim();
                JobView job = await first.JobAsync(id);
                if ((await PoolFailoverTests.OwnerAsync(database, job.Id))?.Name == "first")
                {
                    taken.Add((job.Id, In($"data/{i}-{on[1..]}")));
                }
            }
        }

        await Eventually.HoldsAsync(() => Task.FromResult(taken.All(job => File.Exists(job.Said))), "they have begun", Bound);
        first.KillHard();
        await Eventually.HoldsAsync(async () => (await Task.WhenAll(taken.Select(job => PoolFailoverTests.OwnerAsync(database, job.Id)))).All(owner => owner?.Name == "second"), "second takes over", Bound);
        File.WriteAllText(In("data/go"), "");
        foreach ((string id, string said) in taken)
        {
            await Eventually.HoldsAsync(async () => (await PoolTests.TryJobAsync(second, id))?.State == "completed", $"{Path.GetFileName(said)} ends well at second", Bound);
            string[] lines = File.ReadAllLines(said);
            Assert.True(lines.Length > 1, "no attempt of the second member");
            Assert.All(lines, line => Assert.Equal("locked", line));
        }
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private async Task ReachesItsDirectoriesAloneAsync(TestNode laptop, TestNode gpu)
    {
        await CanConfineAsync(gpu);
        await PairAsync(laptop, gpu);
        int node = gpu.ProcessId;
        bool keepsSignals = !(await DoctorTests.DoctorAsync(gpu))["confinement"].Finding.Contains("signals", StringComparison.Ordinal);
        string check = Script("check", Try + $"""
            try write sh -c 'echo x > {In("data/new")}'
            try read grep -q library {In("venv/lib")}
            try change sh -c 'echo x > {In("venv/lib")}'
            try diary cat {In("diary")}
            try elsewhere sh -c 'echo x > {In("elsewhere")}'
            try keys cat {gpu.Data}/node.pid
            try list ls {gpu.Data}
            try socket perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!; connect($s, pack_sockaddr_un("{gpu.Data}/control.sock")) or die $!'
            try socket-of-child sh -c 'perl -MSocket -e "socket(my \$s, PF_UNIX, SOCK_STREAM, 0) or die"'
            try environment cat /proc/{node}/environ
            try signal kill -0 {node}
            try temporary sh -c 'echo x > $(mktemp)'
            """);
        if (gpu.User is { } user)
        {
            TestNode.Own(_home, user);
        }

        (await gpu.RunAsync("grant", "laptop", $"run:{check}", $"dir:{In("data")}", $"read:{In("venv")}")).Done();
        string locked = "write yes\nread yes\nchange no\ndiary no\nelsewhere no\nkeys no\nlist no\nsocket no\nsocket-of-child no\nenvironment no\nsignal no\ntemporary yes\n";
        Assert.Equal(keepsSignals ? locked : locked.Replace("signal no", "signal yes", StringComparison.Ordinal), (await laptop.RunAsync("run", "@gpu", "--", check)).Done());
        Assert.Equal(("private", "library"), (File.ReadAllText(In("diary")), File.ReadAllText(In("venv/lib"))));

        // Nothing is left of it, and who may do everything is not locked in: the same checks tell it.
        await Eventually.HoldsAsync(() => Task.FromResult(Directory.GetDirectories(Path.Combine(gpu.Data, "work", ".attempts")).Length == 0), "its own directory goes");
        (await gpu.RunAsync("grant", "laptop", "run")).Done();
        Assert.DoesNotContain(" no\n", (await laptop.RunAsync("run", "@gpu", "--", check)).Done(), StringComparison.Ordinal);
        File.WriteAllText(In("venv/lib"), "library");
        Assert.DoesNotContain(" no\n", (await gpu.RunAsync("run", "--", check)).Done(), StringComparison.Ordinal);
    }

    private static async Task PairAsync(TestNode one, TestNode other)
    {
        await one.PairWithAsync(other);
        await Eventually.HoldsAsync(async () => (await one.RunAsync("@" + other.Name, "calc", "1")).Code == 0, "the other device answers");
    }

    private static async Task CanConfineAsync(TestNode node)
    {
        DoctorTests.Check check = (await DoctorTests.DoctorAsync(node))["confinement"];
        Skip.IfNot(check.Finding.Contains("are locked in", StringComparison.Ordinal), check.Finding);
    }

    private string Script(string name, string text)
    {
        string file = In("bin/" + name);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }

    private string In(string path) => Path.Combine(_home, path);
}
