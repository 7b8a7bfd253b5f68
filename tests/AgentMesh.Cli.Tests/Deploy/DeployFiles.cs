using System.CommandLine;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Tests.Deploy;

/// <summary>What the tests of the files in deploy/ share.</summary>
internal static class DeployFiles
{
    /// <summary>The folder of the solution.</summary>
    public static readonly string Root = FindRoot();

    /// <returns>What the program would make of these words.</returns>
    public static ParseResult Parse(string[] words)
    {
        var global = new GlobalOptions();
        var root = new RootCommand { BeaconVerb.Create(global) };
        global.AddTo(root);
        foreach (Command verb in (Command[])[.. NodeVerbs.All(global), .. PeerVerbs.All(global)])
        {
            root.Subcommands.Add(verb);
        }

        return root.Parse(words);
    }

    private static string FindRoot()
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "AgentMesh.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        return root!;
    }
}
