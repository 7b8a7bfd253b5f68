using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Tests;

public sealed class TextTableTests
{
    [Fact]
    public void For_a_program_a_row_is_one_line_with_nothing_behind_its_last_word()
    {
        string wide = string.Join(' ', Enumerable.Repeat("word", 200));
        var to = new StringWriter { NewLine = "\n" };
        TextTable.WriteLines(["JOB", "COMMAND", "REASON"], [["a", "calc 1+*2", "unexpected '*'\n  1+*2\n    ^"], ["b", wide, ""], ["c", "a\u001b[2Jb\tc", "[brackets]"]], to);

        Assert.Equal(
            [
                "JOB  COMMAND".PadRight(5 + wide.Length + 2) + "REASON",
                "a    calc 1+*2".PadRight(5 + wide.Length + 2) + "unexpected '*'",
                "b    " + wide,
                "c    a [2Jb c".PadRight(5 + wide.Length + 2) + "[brackets]",
            ],
            to.ToString().TrimEnd('\n').Split('\n'));
    }
}
