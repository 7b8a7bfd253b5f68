using AgentMesh.Cli.Scripts;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Cli.Tests.Scripts;

public sealed class VariablesTests
{
    private readonly Variables _variables = new();

    public VariablesTests()
    {
        Assert.True(_variables.TrySet("x", "3"));
        Assert.True(_variables.TrySet("text", "it's \"a\" \\b"));
        _variables.SetArguments(["first", "second"]);
        _variables.LastCode = 7;
    }

    [Theory]
    [InlineData("@gpu calc $x+${x}1", "@gpu calc 3+31")]
    [InlineData("calc $x$x", "calc 33")]
    [InlineData("echo $1 ${2} $3 $?", "echo first second $3 7")]
    [InlineData("echo $unknown ${x", "echo $unknown ${x")]
    [InlineData("echo '$x' \\$x \"$x\"", "echo '$x' \\$x \"3\"")]
    [InlineData("echo it's $x", "echo it's 3")]
    [InlineData("echo $text", "echo it's \"a\" \\b")]
    [InlineData("$x", "3")]
    [InlineData("costs 5$", "costs 5$")]
    public void Stand_for_their_values(string line, string expanded) => Assert.Equal(expanded, _variables.Expand(line));

    [Theory]
    [InlineData("@gpu run echo $text")]
    [InlineData("@gpu run echo \"$text\"")]
    [InlineData("run @gpu -- echo $text")]
    [InlineData("map --line $text")]
    public void Are_one_word_where_words_count(string line) => Assert.Equal("it's \"a\" \\b", Quoting.Split(_variables.Expand(line))[^1]);

    [Fact]
    public void Are_a_part_of_a_word_where_they_stand_in_one() =>
        Assert.Equal(["run", "@gpu", "--", "f", "--text=it's \"a\" \\b!"], Quoting.Split(_variables.Expand("run @gpu -- f --text=$text!")));

    [Fact]
    public void Are_bounded()
    {
        int set = 0;
        while (_variables.TrySet($"v{set}", ""))
        {
            set++;
        }

        Assert.InRange(set, Variables.Max - 10, Variables.Max);
        Assert.True(_variables.TrySet("x", "4"));
    }
}
