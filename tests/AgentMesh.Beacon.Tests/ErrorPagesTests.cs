using System.Reflection;

namespace AgentMesh.Beacon.Tests;

public class ErrorPagesTests
{
    [Fact]
    public void Every_code_has_a_page()
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "AgentMesh.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        foreach (FieldInfo field in typeof(BeaconErrors).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            string code = (string)field.GetRawConstantValue()!;
            Assert.Matches("^AM01(5[4-9]|[78][0-9])$", code);
            Assert.StartsWith($"# {code}", File.ReadAllText(Path.Combine(root!, "docs", "errors", code + ".md")), StringComparison.Ordinal);
        }
    }
}
