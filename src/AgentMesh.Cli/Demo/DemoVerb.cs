using System.CommandLine;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Demo;

/// <summary>The verb <c>demo</c>: three real nodes in a temporary directory, driven only through the command line, then nothing left behind.</summary>
internal static class DemoVerb
{
    public const string Name = "demo";

    public static Command Create(GlobalOptions global)
    {
        var keep = new Option<bool>("--keep") { Description = "Keep the temporary directory, to look at the logs." };
        return global.Verb(Name, "Show a mesh of three real nodes on this machine, with every promise checked.", [keep], async (session, parsed, cancel) =>
        {
            var report = new DemoReport(session.Terminal);
            string directory = Directory.CreateTempSubdirectory("agentmesh-demo-").FullName;
            var script = new DemoScript(new DemoStage(report, directory));
            bool left = true;
            try
            {
                await script.RunAsync(cancel).ConfigureAwait(false);
            }
            finally
            {
                left = await script.CleanUpAsync(parsed.GetValue(keep)).ConfigureAwait(false);
            }

            report.Check("no process and no file is left behind", !left || parsed.GetValue(keep));
            return Conclude(session.Terminal, report, parsed.GetValue(keep) ? directory : null);
        });
    }

    private static int Conclude(Terminal terminal, DemoReport report, string? kept)
    {
        terminal.Out.WriteLine();
        if (kept is not null)
        {
            terminal.Out.WriteLine($"kept: {kept}");
        }

        if (report.Failed > 0)
        {
            terminal.Out.WriteLine($"demo: {report.Failed} of {report.Passed + report.Failed} checks failed");
            return 1;
        }

        terminal.Out.WriteLine($"demo: {report.Passed} checks passed");
        return 0;
    }
}
