using System.Reflection;

namespace AgentMesh.Mesh.Tests;

public sealed class ErrorPagesTests
{
    [Fact]
    public void Every_code_has_a_page_and_a_place_of_its_own()
    {
        string[] codes = [.. typeof(MeshErrors).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];
        Assert.Equal(codes.Length, codes.Distinct(StringComparer.Ordinal).Count());
        string pages = Path.Combine(RepositoryRoot(), "docs", "errors");
        Assert.All(codes, code =>
        {
            Assert.Matches("^AM(03[0-9][0-9]|045[5-9]|046[0-9]|063[2-9])$", code);
            Assert.StartsWith($"# {code}", File.ReadAllText(Path.Combine(pages, code + ".md")), StringComparison.Ordinal);
        });
    }

    private static string RepositoryRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory!, "AgentMesh.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory!;
    }
}
