using System.Security.Cryptography;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>What programs read, through real shims.</summary>
public sealed class InputTests
{
    private static AttemptOrder Reads(params string[] words) => ShimLab.Program(words) with { Input = new JobInput() };

    private static AttemptOrder OnTerminal(string script) => ShimLab.Script(script) with { Input = new JobInput(Terminal: new JobTerminal("dumb", 91, 33)) };

    [Fact]
    public async Task A_program_reads_what_is_sent_and_then_the_end()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(Reads("sort"));
        using InputSender sender = run.Input!.Attach();
        Assert.Equal(0, await sender.ReadyAsync(CancellationToken.None));
        Assert.True(await sender.WriteAsync(0, "b\na\n"u8.ToArray(), CancellationToken.None));
        sender.End(4);
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Succeeded, 0), (end.Outcome, end.ExitCode));
        Assert.Equal("a\nb\n", await lab.Take(run));
    }

    [Fact]
    public async Task More_input_than_anything_holds_arrives_whole_and_in_order()
    {
        await using var lab = new ShimLab();
        byte[] data = new byte[5_000_000];
        new Random(7).NextBytes(data);
        Execution run = await lab.Start(Reads("sha256sum"));
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        for (int at = 0; at < data.Length; at += 70_001)
        {
            await sender.WriteAsync(at, data.AsMemory(at, Math.Min(70_001, data.Length - at)), CancellationToken.None);
        }

        sender.End(data.Length);
        await ShimLab.End(run);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(data)), await lab.Take(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sender_is_told_when_the_program_takes_no_more()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(Reads("sh", "-c", "read line; exec <&-; echo got $line; sleep 600"));
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        await sender.WriteAsync(0, "one\n"u8.ToArray(), CancellationToken.None);
        await ShimLab.Until(() => run.Input!.IsClosed, "the end of reading is noticed while the program goes on");
        Assert.False(await sender.WriteAsync(4, "two\n"u8.ToArray(), CancellationToken.None));
        Assert.False(run.Ended.IsCompleted);
        run.Cancel();
        Assert.Equal(AttemptOutcome.Cancelled, (await ShimLab.End(run)).Outcome);
    }

    [Fact]
    public async Task Input_goes_on_at_its_offset_after_the_node_was_restarted()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(Reads("cat"));
        using (InputSender before = run.Input!.Attach())
        {
            await before.ReadyAsync(CancellationToken.None);
            await before.WriteAsync(0, "0123456789"u8.ToArray(), CancellationToken.None);
            await ShimLab.Until(() => run.Input!.Taken == 10, "the program has taken it");
        }

        run = await lab.LeaveAndTakeOver();
        using InputSender after = run.Input!.Attach();
        Assert.Equal(10, await after.ReadyAsync(CancellationToken.None));
        await after.WriteAsync(5, "56789abc"u8.ToArray(), CancellationToken.None);
        after.End(13);
        await ShimLab.End(run);
        Assert.Equal("0123456789abc", await lab.Take(run));
    }

    [Fact]
    public async Task A_terminal_has_the_size_and_the_name_that_were_asked_for()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(OnTerminal("tty >/dev/null && stty size && echo $TERM"));
        await ShimLab.End(run);
        Assert.Equal("33 91\r\ndumb\r\n", await lab.Take(run));
    }

    [Fact]
    public async Task A_program_is_told_of_another_size()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(OnTerminal("trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.1; done"));
        using InputSender sender = run.Input!.Attach();
        await ShimLab.Until(() => run.Spool!.Length(SpoolStream.Stdout) > 0, "it listens");
        sender.Resize(120, 40);
        Assert.Equal(3, (await ShimLab.End(run)).ExitCode);
        Assert.Equal("ready\r\n40 120\r\n", await lab.Take(run));
    }

    [Fact]
    public async Task The_key_that_interrupts_reaches_the_program_of_a_terminal()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(OnTerminal("trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.1; done"));
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        await ShimLab.Until(() => run.Spool!.Length(SpoolStream.Stdout) > 0, "it listens");
        await sender.WriteAsync(0, new byte[] { 3 }, CancellationToken.None);
        Assert.Equal(5, (await ShimLab.End(run)).ExitCode);
        Assert.EndsWith("interrupted\r\n", await lab.Take(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shell_on_a_terminal_ends_with_its_job()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("sh", "-i") with { Input = new JobInput(Terminal: new JobTerminal("dumb", 80, 24)) });
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        byte[] line = System.Text.Encoding.UTF8.GetBytes($"(trap '' HUP TERM; echo $$ > {lab.File("pid")}; sleep 600)\n");
        await sender.WriteAsync(0, line, CancellationToken.None);
        int process = await lab.ProcessIn("pid");
        run.Cancel();
        Assert.Equal(AttemptOutcome.Cancelled, (await ShimLab.End(run)).Outcome);
        await ShimLab.Until(() => !ShimLab.IsAlive(process), "what it started has ended");
    }

    [Fact]
    public async Task A_terminal_of_which_nobody_hears_any_more_is_hung_up()
    {
        await using var lab = new ShimLab { InputGrace = TimeSpan.FromMilliseconds(200) };
        lab.Up();
        Execution run = lab.Node.StartOrGet(OnTerminal("trap 'exit 6' HUP; echo ready; while :; do sleep 0.1; done"));

        // Before the program runs: the grace may not be over before somebody has come.
        using (InputSender sender = run.Input!.Attach())
        {
            await sender.ReadyAsync(CancellationToken.None);
            await ShimLab.Until(() => run.Spool!.Length(SpoolStream.Stdout) > 0, "it listens");
        }

        Assert.Equal(6, (await ShimLab.End(run)).ExitCode);
    }

    [Fact]
    public async Task A_pipe_of_which_nobody_hears_any_more_ends()
    {
        await using var lab = new ShimLab { InputGrace = TimeSpan.FromMilliseconds(200) };
        Execution run = await lab.Start(Reads("wc", "-c"));
        Assert.Equal(AttemptOutcome.Succeeded, (await ShimLab.End(run)).Outcome);
    }

    [Fact]
    public async Task The_output_of_another_program_that_does_not_come_to_its_end_fails_the_attempt()
    {
        await using var lab = new ShimLab { InputGrace = TimeSpan.FromMilliseconds(200) };
        Execution run = await lab.Start(ShimLab.Program("cat") with { Input = new JobInput(From: ShimLab.Key().Job.Home.Device) });
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Failed, WorkerErrors.InputLost), (end.Outcome, end.Problem!.Code));
    }

    [Fact]
    public async Task A_login_shell_is_that_of_the_user()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("shell") with { Input = new JobInput(LoginShell: true) });
        using InputSender sender = run.Input!.Attach();
        await sender.ReadyAsync(CancellationToken.None);
        byte[] line = "echo shell $((40+2)); exit 9\n"u8.ToArray();
        await sender.WriteAsync(0, line, CancellationToken.None);
        sender.End(line.Length);
        Assert.Equal(9, (await ShimLab.End(run)).ExitCode);
        Assert.Contains("shell 42", await lab.Take(run), StringComparison.Ordinal);
    }
}
