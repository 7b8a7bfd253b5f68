using System.Text;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Input;

namespace AgentMesh.Workers.Tests.Input;

public sealed class ProgramInputTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly DeviceId Device = DeviceId.Parse(new string('c', DeviceId.TextLength));

    private readonly ManualTime _time = new();
    private readonly StringBuilder _program = new();
    private int _lost;

    [Fact]
    public async Task Waits_for_the_program_before_it_says_from_where()
    {
        using ProgramInput input = New();
        using InputSender sender = input.Attach();
        Task<long> ready = sender.ReadyAsync(CancellationToken.None);
        Assert.False(ready.IsCompleted);
        input.Connected(17);
        Assert.Equal(17, await ready);
    }

    [Fact]
    public async Task What_comes_twice_is_given_once()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        await Send(sender, 0, "abcdef");
        await Send(sender, 3, "defgh");
        await Send(sender, 0, "abc");
        Pump(input);
        Assert.Equal("abcdefgh", _program.ToString());
    }

    [Fact]
    public async Task A_gap_is_an_error_and_takes_nothing()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        await Assert.ThrowsAsync<IOException>(async () => await Send(sender, 1, "b"));
        Assert.Equal(0, input.Received);
    }

    [Fact]
    public async Task A_sender_that_is_ahead_by_the_window_waits_until_the_program_has_taken_some()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        Task<bool> sending = sender.WriteAsync(0, new byte[ShimFiles.InputBytesMax + 10], CancellationToken.None).AsTask();
        Assert.False(sending.IsCompleted);
        Assert.Equal(ShimFiles.InputBytesMax, input.Received);
        Pump(input);
        input.Take(10, false);
        Assert.True(await sending);
        Assert.Equal(ShimFiles.InputBytesMax + 10, input.Received);
    }

    [Fact]
    public async Task A_shim_that_is_full_of_what_an_earlier_process_sent_is_given_more_when_its_program_has_taken_some()
    {
        using ProgramInput input = New();
        input.Connected(ShimFiles.InputBytesMax + 100);
        using InputSender sender = input.Attach();
        Assert.True(await sender.WriteAsync(ShimFiles.InputBytesMax + 100, Encoding.UTF8.GetBytes("abcdef"), CancellationToken.None));
        byte[] buffer = new byte[1_000];
        Assert.Null(input.Next(buffer));

        input.Take(100, false);
        Assert.Null(input.Next(buffer));
        input.Take(104, false);

        Assert.Equal(4, input.Next(buffer)?.Bytes);
        Assert.Null(input.Next(buffer));
    }

    [Fact]
    public async Task A_shim_that_comes_back_is_given_what_it_does_not_have()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        await Send(sender, 0, "abcdef");
        Pump(input);
        input.Take(2, false);
        _program.Clear();
        input.Connected(4);
        Pump(input);
        Assert.Equal("ef", _program.ToString());
    }

    [Fact]
    public async Task A_newer_sender_takes_the_place_of_an_older_one()
    {
        using ProgramInput input = New();
        InputSender older = Ready(input);
        using InputSender newer = input.Attach();
        await Assert.ThrowsAsync<IOException>(async () => await Send(older, 0, "a"));
        older.Dispose();
        _time.Advance(Grace * 2);
        Assert.True(await Send(newer, 0, "b"));
        Assert.Equal(0, _lost);
    }

    [Fact]
    public async Task The_end_follows_the_last_byte()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        await Send(sender, 0, "abc");
        sender.End(3);
        Assert.Equal([ShimFrameKind.Input, ShimFrameKind.InputEnd], Pump(input));
        input.Connected(3);
        Assert.Equal([ShimFrameKind.InputEnd], Pump(input));
    }

    [Fact]
    public void A_terminal_is_hung_up_when_nobody_came_back_within_the_grace()
    {
        using ProgramInput input = New(new JobInput(Terminal: new JobTerminal("dumb", 80, 24)));
        Ready(input).Dispose();
        _time.Advance(Grace - TimeSpan.FromSeconds(1));
        Assert.Empty(Pump(input));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([ShimFrameKind.HangUp, ShimFrameKind.InputEnd], Pump(input));
    }

    [Fact]
    public async Task A_program_that_was_left_waits_without_limit_also_for_a_restarted_node()
    {
        string file = Path.GetTempFileName();
        File.Delete(file);
        try
        {
            foreach (bool isRestarted in (bool[])[false, true])
            {
                using ProgramInput input = New(new JobInput(Terminal: new JobTerminal("dumb", 80, 24)), file);
                if (isRestarted)
                {
                    input.Connected(0);
                }
                else
                {
                    using InputSender sender = Ready(input);
                    await Send(sender, 0, "ls");
                    sender.Leave(2);
                }

                Pump(input);
                _time.Advance(Grace * 10);
                Assert.Empty(Pump(input));
            }

            using ProgramInput found = New(new JobInput(Terminal: new JobTerminal("dumb", 80, 24)), file);
            Ready(found).Dispose();
            Assert.False(File.Exists(file));
            _time.Advance(Grace);
            Assert.Equal([ShimFrameKind.HangUp, ShimFrameKind.InputEnd], Pump(found));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_sender_leaves_only_where_it_is()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        await Send(sender, 0, "abc");
        Assert.Throws<IOException>(() => sender.Leave(4));
    }

    [Fact]
    public void Who_comes_back_within_the_grace_goes_on()
    {
        using ProgramInput input = New();
        Ready(input).Dispose();
        _time.Advance(Grace - TimeSpan.FromSeconds(1));
        using InputSender back = input.Attach();
        _time.Advance(Grace * 3);
        Assert.Empty(Pump(input));
    }

    [Fact]
    public void The_output_of_another_program_that_breaks_off_is_no_end()
    {
        using ProgramInput input = New(new JobInput(From: Device));
        Ready(input).Dispose();
        _time.Advance(Grace);
        Assert.Equal(1, _lost);
        Assert.Empty(Pump(input));
    }

    [Fact]
    public async Task Nothing_is_lost_when_all_of_it_had_come()
    {
        using ProgramInput input = New(new JobInput(From: Device));
        InputSender sender = Ready(input);
        await Send(sender, 0, "abc");
        sender.End(3);
        sender.Dispose();
        _time.Advance(Grace * 2);
        Assert.Equal(0, _lost);
    }

    [Fact]
    public async Task A_program_that_takes_no_more_ends_the_waiting()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        Task<bool> sending = sender.WriteAsync(0, new byte[ShimFiles.InputBytesMax * 2], CancellationToken.None).AsTask();
        input.Take(0, isClosed: true);
        Assert.False(await sending);
    }

    [Fact]
    public void The_newest_size_is_told_also_to_a_shim_that_comes_back()
    {
        using ProgramInput input = New();
        using InputSender sender = Ready(input);
        sender.Resize(80, 24);
        sender.Resize(100, 30);
        Assert.Equal([ShimFrameKind.Resize], Pump(input));
        input.Connected(0);
        Assert.Equal([ShimFrameKind.Resize], Pump(input));
    }

    private static ValueTask<bool> Send(InputSender sender, long offset, string text) => sender.WriteAsync(offset, Encoding.UTF8.GetBytes(text), CancellationToken.None);

    private ProgramInput New(JobInput? kind = null, string? leftFile = null) => new(kind ?? new JobInput(), Grace, _time, () => _lost++, leftFile);

    private static InputSender Ready(ProgramInput input)
    {
        InputSender sender = input.Attach();
        input.Connected(0);
        return sender;
    }

    private List<ShimFrameKind> Pump(ProgramInput input)
    {
        var kinds = new List<ShimFrameKind>();
        byte[] buffer = new byte[50_000];
        while (input.Next(buffer) is { } step)
        {
            kinds.Add(step.Frame.Kind);
            _program.Append(Encoding.UTF8.GetString(buffer, 0, step.Bytes));
        }

        return kinds;
    }
}
