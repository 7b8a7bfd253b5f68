using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("calc 1+2", null, "calc 1+2")]
    [InlineData("  @gpu-box   calc  1 + 2 ", "gpu-box", "calc  1 + 2")]
    [InlineData("@all status", "all", "status")]
    [InlineData("@0 add", "0", "add")]
    [InlineData("@192.0.2.1:14590\techo 'a b'", "192.0.2.1:14590", "echo 'a b'")]
    public void A_line_names_a_device_or_is_for_this_one(string line, string? selector, string command) =>
        Assert.Equal(new CommandLine(selector, command), CommandLine.Parse(line));

    [Theory]
    [InlineData("", 1)]
    [InlineData("   ", 1)]
    [InlineData("@", 2)]
    [InlineData("@ calc", 2)]
    [InlineData("  @ calc", 4)]
    [InlineData("@gpu", 5)]
    [InlineData("  @gpu  ", 7)]
    public void What_is_missing_is_said_with_its_position(string line, int position)
    {
        MeshException error = Assert.Throws<MeshException>(() => CommandLine.Parse(line));
        Assert.Equal(MeshErrors.Syntax, error.Code);
        Assert.StartsWith($"position {position}:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_cannot_travel_is_refused() =>
        Assert.Equal(MeshErrors.TooLarge, Assert.Throws<MeshException>(() => CommandLine.Parse("echo " + new string('x', 100_000))).Code);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "''")]
    [InlineData("a b", "'a b'")]
    [InlineData("it's", "\"it's\"")]
    [InlineData("a\"b\\c'd", "\"a\\\"b\\\\c'd\"")]
    public void Words_are_quoted_so_that_they_read_back(string word, string quoted)
    {
        Assert.Equal(quoted, Quoting.Quote(word));
        Assert.Equal([word], Quoting.Split(quoted));
    }

    [Fact]
    public void A_quote_that_is_not_closed_is_said_with_its_position()
    {
        MeshException error = Assert.Throws<MeshException>(() => Quoting.Split("run -- echo 'a b"));
        Assert.StartsWith("position 13:", error.Message, StringComparison.Ordinal);
    }
}
