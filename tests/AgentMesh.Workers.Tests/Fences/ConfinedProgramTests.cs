using System.Diagnostics;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Shim.Confine;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Spool;
using AgentMesh.Workers.Tests.Shims;

namespace AgentMesh.Workers.Tests.Fences;

/// <summary>Programs that are locked in by the kernel of this machine, in their shims.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ConfinedProgramTests : IDisposable
{
    /// <summary>Prints a name and whether the command behind it went well.</summary>
    private const string Try = "try() { name=$1; shift; if \"$@\" >/dev/null 2>&1; then echo $name yes; else echo $name no; fi; }; ";

    private readonly string _home = Directory.CreateTempSubdirectory("am-home-").FullName;

    public ConfinedProgramTests()
    {
        Directory.CreateDirectory(In("data"));
        Directory.CreateDirectory(In("venv"));
        File.WriteAllText(In("venv/lib"), "library");
        File.WriteAllText(In("diary"), "private");
    }

    [SkippableFact]
    public async Task Reads_and_writes_what_was_granted_and_nothing_else()
    {
        await using ShimLab lab = Lab();
        File.WriteAllText(lab.File("key"), "secret");
        string said = await Output(lab, Confined(
            Try + $"""
            try write-data sh -c 'echo x > {In("data/new")}'
            try move-data sh -c 'mkdir {In("data/d")} && mv {In("data/new")} {In("data/d/moved")} && ln -s moved {In("data/d/link")}'
            try read-venv grep -q library {In("venv/lib")}
            try write-venv sh -c 'echo x > {In("venv/lib")}'
            try truncate-venv truncate -s 0 {In("venv/lib")}
            try make-venv touch {In("venv/new")}
            try read-home cat {In("diary")}
            try list-home ls {_home}
            try write-home sh -c 'echo x > {In("new")}'
            try truncate-home truncate -s 0 {In("diary")}
            try remove-home rm -f {In("diary")}
            try link-out sh -c 'ln -s {In("diary")} {In("data/way")}; cat {In("data/way")}'
            try hard-link ln {In("diary")} {In("data/hard")}
            try move-out mv {In("data/d/moved")} {In("moved")}
            try read-key cat {lab.File("key")}
            try list-node ls {lab.Root}
            try list-spool ls {lab.Spool}
            try write-tmp sh -c 'echo x > /tmp/am-{Guid.NewGuid():N}'
            try private-tmp sh -c 'echo x > $(mktemp) && echo y > $TMPDIR/y'
            try begins-private sh -c 'test $(pwd -P) = $(cd $AGENTMESH_WORK_DIR; pwd -P) && echo x > here && cat here'
            try system sh -c 'cat /etc/passwd /proc/meminfo /proc/self/status && date > /dev/null'
            try setuid chmod u+s {In("data/d/moved")}
            try shared-memory ls /dev/shm
            """));
        Assert.Equal(
            """
            write-data yes
            move-data yes
            read-venv yes
            write-venv no
            truncate-venv no
            make-venv no
            read-home no
            list-home no
            write-home no
            truncate-home no
            remove-home no
            link-out no
            hard-link no
            move-out no
            read-key no
            list-node no
            list-spool no
            write-tmp no
            private-tmp yes
            begins-private yes
            system yes
            setuid no
            shared-memory no

            """,
            said);
        Assert.Equal(("private", "library"), (File.ReadAllText(In("diary")), File.ReadAllText(In("venv/lib"))));
    }

    [SkippableFact]
    public async Task Reaches_no_socket_of_the_user_and_no_other_process()
    {
        Skip.IfNot(File.Exists("/usr/bin/perl"), "perl asks for the sockets");
        string path = In("data/node.sock");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
        socket.Listen();
        using var datagrams = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Dgram, 0);
        datagrams.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(In("data/log.sock")));
        using var other = Process.Start(new ProcessStartInfo("sleep", "600") { Environment = { ["AM_PASSWORD"] = "x" } })!;
        int self = Environment.ProcessId;
        try
        {
            string script = Try + $"""
                try stream perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!; connect($s, pack_sockaddr_un("{path}")) or die $!'
                try datagram perl -MSocket -e 'socketpair(my $a, my $b, PF_UNIX, SOCK_DGRAM, 0) or die $!; connect($a, pack_sockaddr_un("{In("data/log.sock")}")) or die $!'
                try pair perl -MSocket -e 'socketpair(my $a, my $b, PF_UNIX, SOCK_STREAM, 0) or die $!'
                try tcp perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!; bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die $!'
                try child sh -c 'perl -MSocket -e "socket(my \$s, PF_UNIX, SOCK_STREAM, 0) or die"'
                try environment cat /proc/{other.Id}/environ
                try memory cat /proc/{self}/maps
                try files readlink /proc/{self}/fd/0
                try root ls /proc/{self}/root/.
                try own-environment cat /proc/self/environ
                try limits prlimit --pid {other.Id} --nofile=1:1
                """ + (new ProgramFence(new NodePlaces([], [])).Kernel.KeepsSignals ? $"\ntry signal kill {other.Id}\ntry own-signal sh -c 'sleep 9 & kill $!'\n" : "\necho signal no; echo own-signal yes\n");

            // What is no in it is yes where a program is not locked in, or it would say nothing.
            await using (ShimLab free = Lab())
            {
                string all = await Output(free, ShimLab.Script(script.Replace($"try signal kill {other.Id}", "echo signal yes", StringComparison.Ordinal).Replace($"--pid {other.Id} --nofile=1:1", "--nofile", StringComparison.Ordinal)));
                Assert.DoesNotContain(" no\n", all, StringComparison.Ordinal);
            }

            await using ShimLab lab = Lab();
            string said = await Output(lab, Confined(script));
            Assert.Equal(
                "stream no\ndatagram no\npair yes\ntcp yes\nchild no\nenvironment no\nmemory no\nfiles no\nroot no\nown-environment yes\nlimits no\nsignal no\nown-signal yes\n", said);
            Assert.False(other.HasExited);
        }
        finally
        {
            other.Kill();
        }
    }

    [SkippableFact]
    public async Task Begins_as_others_do_with_its_arguments_variables_files_and_exit_code()
    {
        await using ShimLab lab = Lab();
        string script = In("data/show");
        File.WriteAllText(script, "echo \"$0 $# $1 $2\"; pwd; echo $AGENTMESH_ATTEMPT; cat; ls /proc/self/fd | wc -l; kill -PIPE $$; echo not reached\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // Without a line that names an interpreter: a shell would take it, and so does the launcher. SIGPIPE is not ignored.
        Execution run = await lab.Start(ShimLab.Program(script, "a b", "") with { Confinement = Grants(), Directory = In("data") });
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Failed, 141, null), (end.Outcome, end.ExitCode, end.Problem));
        Assert.Equal($"{script} 2 a b \n{In("data")}\n1\n4\n", await lab.Take(run));
    }

    [SkippableFact]
    public async Task Reads_its_input_also_where_it_opens_it_again()
    {
        await using ShimLab lab = Lab();
        Execution run = await lab.Start(ShimLab.Script("head -n 1 /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr") with { Confinement = Grants(), Input = new JobInput() });
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        await sender.WriteAsync(0, "typed\n"u8.ToArray(), CancellationToken.None);
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Succeeded, null), (end.Outcome, end.Problem));
        Assert.Equal("typed\nout\n", await lab.Take(run));
        Assert.Equal("err\n", await lab.Take(run, SpoolStream.Stderr));
    }

    [SkippableFact]
    public async Task Has_its_terminal_and_no_other()
    {
        await using ShimLab lab = Lab();
        Execution run = await lab.Start(ShimLab.Script(Try + "try own sh -c 'stty size < /dev/tty && echo x > $(tty)'; try others ls /dev/pts/; stty size; exit 4") with
        {
            Confinement = Grants(),
            Input = new JobInput(Terminal: new JobTerminal("dumb", 91, 33)),
        });
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((4, null), (end.ExitCode, end.Problem));
        Assert.Equal("x\r\nown yes\r\nothers no\r\n33 91\r\n", await lab.Take(run));
    }

    [SkippableFact]
    public async Task Tells_of_itself_over_a_restart_of_the_node_and_leaves_nothing()
    {
        await using ShimLab lab = Lab();
        Execution run = await lab.Start(Confined($"echo 0.5 half > $AGENTMESH_PROGRESS; echo kept > $AGENTMESH_CHECKPOINT.new; mv $AGENTMESH_CHECKPOINT.new $AGENTMESH_CHECKPOINT; ln -s {In("diary")} $AGENTMESH_PROGRESS.link && echo linked; mkfifo $AGENTMESH_PROGRESS.pipe && echo piped; echo x > $TMPDIR/x; until test -e {In("data/go")}; do sleep 0.05; done; exit 7"));
        Execution taken = await lab.LeaveAndTakeOver();
        await ShimLab.Until(
            () =>
            {
                taken.Reports!.Look();
                return taken.Reports.Progress?.Text == "half" && taken.Reports.Unkept is not null;
            },
            "the node that took it over hears of it");
        string work = Assert.Single(Directory.GetDirectories(Path.Combine(lab.Root, ".attempts")));
        File.WriteAllText(In("data/go"), "");
        AttemptResult end = await ShimLab.End(taken);
        Assert.Equal((AttemptOutcome.Failed, 7, null), (end.Outcome, end.ExitCode, end.Problem));
        Assert.Equal("kept\n"u8.ToArray(), end.Checkpoint!.Data.ToArray());
        Assert.Equal("", await lab.Take(taken));
        await lab.Take(taken, SpoolStream.Stderr);
        lab.Node.AcknowledgeEnd(taken.Order.Key);
        Assert.False(Directory.Exists(work));
    }

    [SkippableFact]
    public async Task One_that_cannot_be_started_says_so_with_a_code_and_not_with_an_exit_code()
    {
        await using ShimLab lab = Lab();
        string script = In("data/run");
        File.WriteAllText(script, $"#!{In("bin/sh")}\necho begun\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Directory.CreateDirectory(In("bin"));
        File.Copy("/bin/sh", In("bin/sh"));

        AttemptResult end = await End(lab, ShimLab.Program(script) with { Confinement = Grants() });
        Assert.Equal((AttemptOutcome.Refused, null, "AM0605"), (end.Outcome, end.ExitCode, end.Problem?.Code));
        Assert.Contains("grant read:/PATH", end.Problem!.NextStep!, StringComparison.Ordinal);
        lab.Node.EndsAll = true;
        await lab.Leave();

        end = await End(lab, ShimLab.Program(script) with { Key = ShimLab.Key(2), Confinement = new Confinement([In("data")], [In("bin")], []) });
        Assert.Equal((AttemptOutcome.Succeeded, 0, null), (end.Outcome, end.ExitCode, end.Problem));
    }

    [Fact]
    public async Task Where_it_cannot_be_locked_in_it_is_refused_and_does_not_run()
    {
        foreach (ProgramFence? fence in (ProgramFence?[])[null, new ProgramFence(new NodePlaces([], []), () => new KernelSupport(0, "no Landlock"), SystemPlaces.All)])
        {
            await using var lab = new ShimLab { Fence = fence };
            AttemptResult end = await End(lab, Confined($"touch {In("data/ran")}"));
            Assert.Equal((AttemptOutcome.Refused, "AM0177"), (end.Outcome, end.Problem?.Code));
            Assert.False(File.Exists(In("data/ran")));
        }
    }

    [SkippableFact]
    public async Task A_directory_that_reaches_the_node_is_refused_also_where_it_was_granted_before()
    {
        await using ShimLab lab = Lab();
        AttemptResult end = await End(lab, ShimLab.Script("true") with { Confinement = new Confinement([Path.GetDirectoryName(lab.Root)!], [], []) });
        Assert.Equal((AttemptOutcome.Refused, "AM0178"), (end.Outcome, end.Problem?.Code));
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static ShimLab Lab()
    {
        Skip.If(KernelSupport.Ask().WhyNot is not null, $"the kernel here cannot lock programs in: {KernelSupport.Ask().WhyNot}");

        return new ShimLab { IsFenced = true };
    }

    private static async Task<AttemptResult> End(ShimLab lab, AttemptOrder order)
    {
        lab.Up();
        return await ShimLab.End(lab.Node.StartOrGet(order));
    }

    private static async Task<string> Output(ShimLab lab, AttemptOrder order)
    {
        Execution run = await lab.Start(order);
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Succeeded, null), (end.Outcome, end.Problem?.Text));
        return await lab.Take(run);
    }

    private AttemptOrder Confined(string script) => ShimLab.Script(script) with { Confinement = Grants() };

    private Confinement Grants() => new([In("data")], [In("venv")], [In("data")]);

    private string In(string path) => Path.Combine(_home, path);
}
