using AgentMesh.Cli.Scripts;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests.Scripts;

public sealed class ScriptFileTests
{
    [Fact]
    public void Reads_lines_with_their_numbers()
    {
        IReadOnlyList<ScriptLine> lines = Read(
            """
            # a comment

            calc 1+2
            total = @gpu calc \
              1+2
            greeting := hello, world
            empty :=
            set +e
              echo $total $greeting   
            """);
        Assert.Equal(
            [
                new ScriptLine(3, ScriptLineKind.Command, "calc 1+2"),
                new ScriptLine(4, ScriptLineKind.Keep, "@gpu calc   1+2", "total"),
                new ScriptLine(6, ScriptLineKind.Text, "hello, world", "greeting"),
                new ScriptLine(7, ScriptLineKind.Text, "", "empty"),
                new ScriptLine(8, ScriptLineKind.GoOnAfterFailure, "set +e"),
                new ScriptLine(9, ScriptLineKind.Command, "echo $total $greeting"),
            ],
            lines);
    }

    [Theory]
    [InlineData("calc a=b", ScriptLineKind.Command)]
    [InlineData("@gpu echo x = y", ScriptLineKind.Command)]
    [InlineData("run --key=v -- ls", ScriptLineKind.Command)]
    [InlineData("2x = calc 1", ScriptLineKind.Command)]
    [InlineData("x=calc 1", ScriptLineKind.Keep)]
    public void Knows_what_is_kept(string line, object kind) => Assert.Equal((ScriptLineKind)kind, Assert.Single(Read(line)).Kind);

    [Theory]
    [InlineData("calc 1\necho $total", "s.txt:2:6", "total")]
    [InlineData("x = calc $y", "s.txt:1:10", "there is no variable 'y'")]
    [InlineData("x = calc $x", "s.txt:1:10", "there is no variable 'x'")]
    [InlineData("echo $1", "s.txt:1:6", "argument")]
    [InlineData("x =", "s.txt:1:4", "no command")]
    [InlineData("set -x", "s.txt:1:1", "set -e")]
    [InlineData("\n@gpu", "s.txt:2", "there is no command")]
    public void Refuses_what_cannot_run_before_any_of_it_does(string text, string place, string says)
    {
        MeshException wrong = Assert.Throws<MeshException>(() => Read(text));
        Assert.StartsWith(place, wrong.Message, StringComparison.Ordinal);
        Assert.Contains(says, wrong.Message + wrong.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_what_was_given_for_known()
    {
        var given = new Variables();
        given.TrySet("rate", "0.2");
        given.SetArguments(["a"]);
        Assert.Single(ScriptFile.Read("s.txt", "run -- train $rate $1 '$nothing' \\$nothing $?", given));
    }

    private static IReadOnlyList<ScriptLine> Read(string text) => ScriptFile.Read("s.txt", text, new Variables());
}
