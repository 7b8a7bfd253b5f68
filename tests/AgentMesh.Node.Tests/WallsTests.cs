using System.Reflection;
using System.Xml.Linq;

namespace AgentMesh.Node.Tests;

/// <summary>Which project may know which: read from the project files, so that a new reference is a decision and not an accident.</summary>
public sealed class WallsTests
{
    /// <summary>The whole list. "Akka" is the actor API, from the engine or from packages.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["AgentMesh.Errors"] = [],
        ["AgentMesh.Files"] = [],
        ["AgentMesh.Akka"] = [],
        ["AgentMesh.Protocol"] = ["AgentMesh.Errors", "AgentMesh.Files"],
        ["AgentMesh.Transport"] = ["AgentMesh.Protocol"],
        ["AgentMesh.Beacon"] = ["AgentMesh.Transport"],
        ["AgentMesh.Remoting"] = ["AgentMesh.Transport", "Akka"],
        ["AgentMesh.Journal"] = ["AgentMesh.Errors", "AgentMesh.Files", "Akka"],
        ["AgentMesh.Mesh"] = ["AgentMesh.Errors", "AgentMesh.Files", "AgentMesh.Protocol", "Akka"],
        ["AgentMesh.Workers"] = ["AgentMesh.Mesh", "AgentMesh.Shim", "Akka"],
        ["AgentMesh.Shim"] = [],
        ["AgentMesh.Shim.Native"] = [],
        ["AgentMesh.Node"] = ["AgentMesh.Workers", "AgentMesh.Journal", "AgentMesh.Remoting", "AgentMesh.Beacon", "Akka"],
        ["AgentMesh.Cli"] = ["AgentMesh.Node", "Akka"],
    };

    private static readonly string Root = FindRoot();

    [Fact]
    public void References_run_downwards_only()
    {
        string[] projects = [.. Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)];
        Assert.Equal(Allowed.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (string file in projects)
        {
            string name = Path.GetFileNameWithoutExtension(file);
            string[] foreign = [.. ReferencesOf(file).Except(Allowed[name])];
            Assert.True(foreign.Length == 0, $"{name} must not reference {string.Join(", ", foreign)}");
        }
    }

    [Theory]
    [InlineData("AgentMesh.Protocol", "System.Net.Sockets System.Net.Http System.Threading.Channels System.Data.Common Microsoft.Data.Sqlite AgentMesh.Akka Akka")]
    [InlineData("AgentMesh.Mesh", "System.Net.Sockets System.Net.Http System.Data.Common Microsoft.Data.Sqlite Microsoft.AspNetCore.Http AgentMesh.Transport")]
    public void The_protocol_knows_no_socket_and_the_domain_no_database(string assembly, string forbidden)
    {
        IEnumerable<string?> known = Assembly.Load(assembly).GetReferencedAssemblies().Select(reference => reference.Name);
        Assert.Empty(known.Intersect(forbidden.Split(' ')));
    }

    private static IEnumerable<string> ReferencesOf(string file)
    {
        XDocument project = XDocument.Load(file);
        foreach (XElement reference in project.Descendants("ProjectReference"))
        {
            yield return Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
        }

        if (project.Descendants("UsesActors").Any(uses => uses.Value == "true"))
        {
            yield return "Akka";
        }
    }

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "AgentMesh.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException("AgentMesh.sln is not above " + AppContext.BaseDirectory);
    }
}
