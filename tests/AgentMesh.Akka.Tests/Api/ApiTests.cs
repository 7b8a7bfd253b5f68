using System.Reflection;
using System.Text.RegularExpressions;
using Akka.Configuration;

namespace AgentMesh.EngineTests.Api;

/// <summary>
/// The engine exports nothing in <c>Akka.*</c> that Akka.NET 1.5 does not have with the same signature, so that product and tests compile against
/// either. The engine's own extras are exported from <c>AgentMesh.Engine.*</c> only.
/// </summary>
public sealed partial class ApiTests
{
    private static readonly string Lists = Path.Combine(AppContext.BaseDirectory, "Api");

    [Fact]
    public void Every_exported_member_stands_in_the_list() => Complies(typeof(Config).Assembly, "akka-net-1.5.txt");

    [Fact]
    public void Every_exported_member_of_the_testkit_stands_in_the_list()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "AgentMesh.Akka.TestKit.dll");
        Complies(Assembly.LoadFrom(file), "akka-net-1.5-testkit.txt");
    }

    [Fact]
    public void Only_Akka_and_Engine_namespaces_are_exported()
    {
        string[] others = [.. typeof(Config).Assembly.GetExportedTypes().Select(type => type.Namespace ?? "").Distinct()
            .Where(name => name != "Akka" && !name.StartsWith("Akka.", StringComparison.Ordinal) && name != "AgentMesh.Engine" && !name.StartsWith("AgentMesh.Engine.", StringComparison.Ordinal))];

        Assert.Empty(others);
    }

    [Fact]
    public void The_comparison_sees_a_foreign_member()
    {
        HashSet<string> list = [.. File.ReadLines(Path.Combine(Lists, "akka-net-1.5.txt"))];

        Assert.False(Stands("Akka.Actor.ActorSystem | method | public System.Void Frobnicate()", list));
        Assert.True(Stands("Akka.Configuration.Config | ctor | public ()", list));
    }

    private static void Complies(Assembly assembly, string file)
    {
        HashSet<string> list = [.. File.ReadLines(Path.Combine(Lists, file))];
        HashSet<string> types = [.. list.Where(line => line.Contains(" | type | ", StringComparison.Ordinal)).Select(WithoutParents)];
        string[] foreign = [.. PublicSurface.Of(assembly, "Akka").Where(line => line.Contains(" | type | ", StringComparison.Ordinal) ? !types.Contains(WithoutParents(line)) : !Stands(line, list))];

        Assert.True(foreign.Length == 0, $"{foreign.Length} members are not Akka.NET's:\n{string.Join('\n', foreign.Take(100))}");
    }

    // An override may be absent or added where the inherited member has the same signature.
    private static bool Stands(string line, HashSet<string> list) =>
        list.Contains(line) || Override().IsMatch(line) || list.Contains(line.Replace(" virtual ", " override ", StringComparison.Ordinal));

    private static string WithoutParents(string line) => line.Split(" : ")[0];

    [GeneratedRegex(@" \| (method|property) \|( public| protected)?( sealed)? override ", RegexOptions.None, 1000)]
    private static partial Regex Override();
}
