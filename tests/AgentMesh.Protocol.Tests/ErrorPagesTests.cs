using System.Reflection;

namespace AgentMesh.Protocol.Tests;

public class ErrorPagesTests
{
    [Fact]
    public void Every_code_has_a_page()
    {
        string pages = Path.Combine(RepositoryRoot(), "docs", "errors");
        foreach (FieldInfo field in typeof(ProtocolErrors).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            string code = (string)field.GetRawConstantValue()!;
            Assert.Matches("^AM01[0-2][0-9]$", code);
            Assert.StartsWith($"# {code}", File.ReadAllText(Path.Combine(pages, code + ".md")), StringComparison.Ordinal);
        }
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
