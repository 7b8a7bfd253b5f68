using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Tests.Commands;

public sealed class PipeLineTests
{
    [Theory]
    [InlineData("@a gen | @b sort | @c head -3", true)]
    [InlineData("calc 1 | @b cat", true)]
    [InlineData("@a echo x | y", false)]
    [InlineData("@a echo x |@b", false)]
    [InlineData("@a echo x| @b", false)]
    [InlineData("@a run sh -c 'x | @b y'", false)]
    [InlineData("@a run sh -c \"x \\\" | @b y\"", false)]
    [InlineData("@a echo x \\| @b y", false)]
    [InlineData("@a echo 'it''s' | @b cat", true)]
    public void A_bar_with_a_space_before_it_and_a_device_behind_it_makes_a_pipe(string line, bool isPipe) => Assert.Equal(isPipe, PipeLine.IsPipe(line));

    [Fact]
    public void Stages_keep_their_quotes_and_their_bars()
    {
        PipeLine pipe = PipeLine.Parse("@a run grep 'a | @x' | @b sort -k 2 | @c echo |");
        Assert.Equal([new CommandLine("a", "run grep 'a | @x'"), new CommandLine("b", "sort -k 2"), new CommandLine("c", "echo |")], pipe.Stages);
    }

    [Fact]
    public void One_command_and_too_many_are_no_pipe()
    {
        Assert.Equal(MeshErrors.PipeSyntax, Assert.Throws<MeshException>(() => PipeLine.Parse("@a sort")).Code);
        Assert.Equal(MeshErrors.PipeSyntax, Assert.Throws<MeshException>(() => PipeLine.Parse(string.Join(" | ", Enumerable.Repeat("@a cat", 17)))).Code);
        Assert.Equal(MeshErrors.Syntax, Assert.Throws<MeshException>(() => PipeLine.Parse("@a cat | @b")).Code);
    }

    [Fact]
    public void Words_that_a_shell_has_split_make_the_same_line()
    {
        string line = PipeLine.Join(["@a", "printf", "b a\\n", "|", "@b", "sort"]);
        Assert.Equal(["printf", "b a\\n"], Quoting.Split(PipeLine.Parse(line).Stages[0].Command));
    }
}
