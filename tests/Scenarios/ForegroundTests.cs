using Scenarios.Harness;

namespace Scenarios;

/// <summary>What a person at a terminal sees of jobs that they wait for.</summary>
public sealed class ForegroundTests
{
    private const string Program = "for i in 1 2 3 4 5 6 7 8; do echo \"::progress $i/8 part $i\"; echo line $i; sleep 0.4; done; echo over";

    [Fact]
    public async Task Progress_is_drawn_below_the_output_on_a_terminal_and_nowhere_else()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        Ran piped = await solo.RunAsync("run", "--", "sh", "-c", Program);
        Assert.Equal(0, piped.Code);
        Assert.Equal("", piped.Error);

        using TestTerminal terminal = TestTerminal.Start(solo, 80, 24, "run", "--", "sh", "-c", Program);
        Assert.Equal(0, await terminal.ExitAsync());
        await terminal.SeesAsync("over\r\n");
        Assert.Contains("\u001b[32m#", terminal.Seen, StringComparison.Ordinal);
        Assert.Contains(" left  part ", terminal.Seen, StringComparison.Ordinal);
        Assert.Equal([.. Enumerable.Range(1, 8).Select(i => $"line {i}"), "over"], Screen.Of(terminal.Seen, 80).Where(line => !line.StartsWith("::", StringComparison.Ordinal)));

        using TestTerminal plain = TestTerminal.Start(solo, 80, 24, "--no-progress", "run", "--", "sh", "-c", Program);
        Assert.Equal(0, await plain.ExitAsync());
        await plain.SeesAsync("over\r\n");
        Assert.DoesNotContain("\u001b[J", plain.Seen, StringComparison.Ordinal);
        Assert.DoesNotContain("[#", plain.Seen, StringComparison.Ordinal);

        solo.Environment["NO_COLOR"] = "1";
        using TestTerminal noColour = TestTerminal.Start(solo, 80, 24, "map", "--params", Table(solo), "--", "sh", "-c", "sleep 0.7; exit {code}");
        Assert.Equal(1, await noColour.ExitAsync());
        await noColour.SeesAsync("1 completed, 1 failed");
        Assert.Contains("[--------", noColour.Seen, StringComparison.Ordinal);
        Assert.Contains("[########--------]  50 %", noColour.Seen, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3", noColour.Seen, StringComparison.Ordinal);
    }

    private static string Table(TestNode node)
    {
        string file = Path.Combine(node.Data, "grid.csv");
        File.WriteAllText(file, "code\n0\n3\n");
        return file;
    }
}
