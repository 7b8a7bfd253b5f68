using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests;

public sealed class PlaceOptionsTests
{
    [Fact]
    public void A_name_alone_is_the_variable_that_is_set_here()
    {
        IReadOnlyDictionary<string, string?>? read = PlaceOptions.Read(["A=1=2", "B=", "C"], name => name == "C" ? "here" : null);

        Assert.Equal([("A", "1=2"), ("B", ""), ("C", "here")], read!.Select(pair => (pair.Key, pair.Value ?? "-")).Order());
        Assert.Null(PlaceOptions.Read([], _ => null));
    }

    [Theory]
    [InlineData("'D' is not set here", "D")]
    [InlineData("'A' is given twice", "A=1", "A=2")]
    public void What_cannot_be_passed_on_is_told(string problem, params string[] texts) =>
        Assert.Contains(problem, Assert.Throws<MeshException>(() => PlaceOptions.Read(texts, _ => null)).Message, StringComparison.Ordinal);
}
