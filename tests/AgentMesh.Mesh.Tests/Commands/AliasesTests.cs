using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Tests.Commands;

public sealed class AliasesTests
{
    private static readonly Dictionary<string, string> None = [];

    [Fact]
    public void The_alias_of_the_executing_device_comes_first()
    {
        ExpandedLine line = Aliases.Expand("add", Of(("add", "calc 1+2")), Of(("add", "calc 3+4")));

        Assert.Equal(("calc 1+2", "add"), (line.Line, line.Alias));
    }

    [Fact]
    public void What_follows_the_alias_is_kept() => Assert.Equal("calc 2 * 3", Aliases.Expand("times 3", Of(("times", "calc 2 *")), None).Line);

    [Fact]
    public void An_alias_may_lead_to_an_alias_of_the_other_device()
    {
        ExpandedLine line = Aliases.Expand("a", Of(("a", "b 1")), Of(("b", "echo")));

        Assert.Equal(("echo 1", "a"), (line.Line, line.Alias));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void A_loop_is_an_error_that_shows_it(string first)
    {
        MeshException error = Assert.Throws<MeshException>(() => Aliases.Expand(first, Of(("a", "b"), ("b", "a")), None));

        Assert.Equal(MeshErrors.AliasLoop, error.Code);
        Assert.Contains("a -> b", error.Message + " -> b", StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_chain_is_an_error()
    {
        Dictionary<string, string> chain = Enumerable.Range(0, 40).ToDictionary(i => $"a{i}", i => $"a{i + 1}", StringComparer.Ordinal);

        Assert.Equal(MeshErrors.AliasLoop, Assert.Throws<MeshException>(() => Aliases.Expand("a0", chain, None)).Code);
    }

    [Theory]
    [InlineData("run -- ls -l", new[] { "ls", "-l" })]
    [InlineData("run ls 'a b'", new[] { "ls", "a b" })]
    public void Run_names_a_program(string line, string[] words) => Assert.Equal(words, Aliases.Expand(line, None, None).Words);

    [Theory]
    [InlineData("run")]
    [InlineData("run --")]
    [InlineData("run 'ls")]
    public void Run_without_a_whole_program_is_an_error(string line) =>
        Assert.Equal(MeshErrors.Syntax, Assert.Throws<MeshException>(() => Aliases.Expand(line, None, None)).Code);

    [Fact]
    public void A_caller_sends_only_the_aliases_a_line_can_reach() =>
        Assert.Equal(["a", "b"], Aliases.Reachable("a 1", Of(("a", "b"), ("b", "calc"), ("c", "echo"))).Keys);

    private static Dictionary<string, string> Of(params (string Name, string Meaning)[] aliases) => aliases.ToDictionary(a => a.Name, a => a.Meaning, StringComparer.Ordinal);
}
