using System.Collections;
using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Tests;

public sealed class QrTextTests
{
    [Fact]
    public void Two_rows_become_one_line_and_dark_modules_stay_dark()
    {
        BitArray[] rows = [new([true, true, false, false]), new([true, false, true, false]), new([true, false, true, false])];
        Assert.Equal(" ▄▀█\n▄█▄█", QrText.Draw(rows, ansi: false));
    }

    /// <summary>The finder patterns and the light border are where ISO 18004 puts them.</summary>
    [Fact]
    public void A_link_has_a_border_and_three_finders()
    {
        string[] lines = QrText.Of("agentmesh://pair?v=1&k=" + new string('A', 150), ansi: false).Split('\n');
        int width = lines[0].Length;
        Assert.All(lines, line => Assert.Equal(width, line.Length));
        Assert.Equal(0, (width - 8 - 17) % 4);
        Assert.Equal(new string('█', width), lines[0]);
        Assert.Equal("████ ▄▄▄▄▄ █", lines[2][..12]);
        Assert.Equal("█ ▄▄▄▄▄ ████", lines[2][^12..]);
    }
}
