using AgentMesh.Cli.Output;
using AgentMesh.Cli.Repl;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Tests;

public sealed class ReplPartsTests
{
    [Fact]
    public void History_goes_back_and_forth_and_survives_in_its_file()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("am-history-").FullName, "history");
        var first = new History(file);
        first.Add("one");
        first.Add("two");
        first.Add("two");
        first.Add("  ");

        var second = new History(file);
        second.StartAtEnd();

        Assert.Equal(["one", "two"], second.Lines);
        Assert.Equal("two", second.Older());
        Assert.Equal("one", second.Older());
        Assert.Null(second.Older());
        Assert.Equal("two", second.Newer());
        Assert.Equal("", second.Newer());
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public void History_is_bounded()
    {
        var history = new History(null);
        for (int i = 0; i < History.LinesMax + 10; i++)
        {
            history.Add($"line {i}");
        }

        Assert.Equal(History.LinesMax, history.Lines.Count);
        Assert.Equal("line 10", history.Lines[0]);
    }

    [Fact]
    public void Completion_goes_as_far_as_all_candidates_agree()
    {
        Assert.Equal("@gpu-", LineEditor.CommonStart(["@gpu-box", "@gpu-rack"]));
        Assert.Equal("", LineEditor.CommonStart(["calc", "run"]));
        Assert.Equal("peers", LineEditor.CommonStart(["peers"]));
    }

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\nb", new[] { "a\n", "b" })]
    [InlineData("a\n\nb\n", new[] { "a\n", "\n", "b\n" })]
    public void Lines_keep_what_ends_them(string text, string[] lines) => Assert.Equal(lines, text.SplitLines());

    [Theory]
    [InlineData(3, "3 s")]
    [InlineData(180, "3 min")]
    [InlineData(7200, "2 h")]
    [InlineData(864_000, "10 d")]
    public void Ages_are_short(int seconds, string text) => Assert.Equal(text, Durations.Age(TimeSpan.FromSeconds(seconds)));
}
