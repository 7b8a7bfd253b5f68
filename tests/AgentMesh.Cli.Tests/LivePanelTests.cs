using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Tests;

public sealed class LivePanelTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_panel_is_in_columns_with_a_bar_where_somebody_says_how_far_it_is()
    {
        WatchedJob[] jobs =
        [
            new("1", "v6aqk7y", "running", "gpu-box", 0.42, "epoch 3", "run -- python3 train.py", Noon.AddSeconds(-12), null),
            new("2", "a-7f3kq2m", "queued", "laptop", null, "laptop is offline", "calc 1\n+2", Noon.AddHours(-3), null),
            new("3", "b", "completed", "x", 1, "", "true", Noon.AddSeconds(-9), Noon.AddSeconds(-4)),
        ];
        Assert.Equal(
            [
                "JOB        STATE      ON       PROGRESS                          TIME  COMMAND",
                "v6aqk7y    running    gpu-box  [######----------]  42 % epoch 3  12 s  run -- python3 train.py",
                "a-7f3kq2m  queued     laptop   laptop is offline                 3 h   calc 1 +2",
                "b          completed  x        [################] 100 %          5 s   true",
            ],
            WatchedJob.Panel(jobs, Noon));
    }

    [Fact]
    public void Lines_are_written_over_and_cut_to_the_terminal()
    {
        using var screen = new StringWriter();
        var live = new LiveLines(screen, () => (41, 4));
        live.Draw("one", new string('x', 100));
        live.Draw("1", "2", "3", "4", "5");
        live.Erase();
        Assert.Equal(
            "one\n" + new string('x', 40) + "\u001b[1A\r\u001b[J" + "1\n2\nand 3 more" + "\u001b[2A\r\u001b[J",
            screen.ToString());
    }

    [Fact]
    public void Colours_take_no_room_and_wide_characters_take_two_columns()
    {
        using var screen = new StringWriter();
        var live = new LiveLines(screen, () => (21, 4));
        live.Draw("\u001b[32m" + new string('x', 30) + "\u001b[0m", new string('\u4e16', 30));
        Assert.Equal("\u001b[32m" + new string('x', 20) + "\u001b[0m\n" + new string('\u4e16', 10), screen.ToString());
    }
}
