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
        Assert.Equal("two", second.Older(""));
        Assert.Equal("one", second.Older("two"));
        Assert.Null(second.Older("one"));
        Assert.Equal("two", second.Newer("one"));
        Assert.Equal("", second.Newer("two"));
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

    [Fact]
    public void History_steps_over_lines_that_begin_as_what_was_typed()
    {
        var history = new History(null);
        foreach (string line in (string[])["@gpu calc 1", "echo a", "@gpu status", "echo b", "@gpu status"])
        {
            history.Add(line);
        }

        history.StartAtEnd();
        Assert.Equal("@gpu status", history.Older("@gpu"));
        Assert.Equal("@gpu calc 1", history.Older("@gpu status"));
        Assert.Null(history.Older("@gpu calc 1"));
        Assert.Equal("@gpu status", history.Newer("@gpu calc 1"));
        Assert.Equal("@gpu", history.Newer("@gpu status"));
        history.Edited();
        Assert.Equal("echo b", history.Older("echo "));
    }

    [Fact]
    public void A_search_goes_back_and_forth_over_other_lines_with_the_text_in_them()
    {
        var search = new HistorySearch(["run train", "calc 1", "run Test", "run Test", "peers"]);
        Assert.Equal("(reverse-i-search)`': ", search.Prompt);
        search.Type('t');
        Assert.Equal("run Test", search.Found);
        search.Older("");
        Assert.Equal("run train", search.Found);
        search.Older("");
        Assert.Equal(("run train", "(failing reverse-i-search)`t': "), (search.Found, search.Prompt));
        search.Newer();
        Assert.Equal(("run Test", "(i-search)`t': "), (search.Found, search.Prompt));
        search.Erase();
        search.Type('c');
        Assert.Equal("calc 1", search.Found);
        search.Type('x');
        Assert.Equal(("calc 1", "(failing reverse-i-search)`cx': "), (search.Found, search.Prompt));
    }

    [Fact]
    public void A_search_without_a_text_goes_on_with_the_last_one()
    {
        var search = new HistorySearch(["one", "two"]);
        search.Older("on");
        Assert.Equal(("one", "on"), (search.Found, search.Text));
        var empty = new HistorySearch([]);
        empty.Type('x');
        Assert.Null(empty.Found);
    }
}
