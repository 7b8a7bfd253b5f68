using System.Text;
using AgentMesh.Shim.Confine;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>
/// <c>agentmesh-shim DIR</c>: starts the program that DIR/launch names, keeps its output and its end there, and lives as long as it does, whatever
/// becomes of the node. Says "ready" or why not on standard output, once. See docs/adr/0017. <c>agentmesh-shim confine</c> becomes a program that is locked in: docs/adr/0056.
/// </summary>
internal static class Program
{
    internal static int Main(string[] arguments)
    {
        if (arguments.Length > 1 && arguments[0] == Launcher.Verb)
        {
            return Launcher.Run(arguments);
        }

        try
        {
            if (arguments.Length != 1)
            {
                throw new FormatException("started by a node for the programs of jobs, not by hand");
            }

            Environment.CurrentDirectory = arguments[0];
            _ = Native.BecomeSessionLeader();
            Native.IgnoreBrokenPipes();
            LaunchFile launch = LaunchFile.Read(ShimFiles.Launch);
            string boot = ShimRecord.ThisBoot();
            ProcessIdentity self = ProcessIdentity.Of(Environment.ProcessId) ?? default;

            // Before anything runs: a node that starts just now finds this process, or has removed the directory and this fails.
            new ShimRecord(boot, self, default).Write(ShimFiles.Record);
            EndFile.Reserve();
            int control = Native.Listen(ShimFiles.Control);
            Native.AdoptOrphans();
            StartedProgram program = StartedProgram.Start(launch);
            new ShimRecord(boot, self, program.Identity).Write(ShimFiles.Record);
            Answer("ready\n");
            LetGo();
            new Supervisor(launch, program, control).Run();
            return 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or ArgumentException or EntryPointNotFoundException)
        {
            Answer(error.Message + "\n");
            return 1;
        }
    }

    private static void Answer(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        _ = Native.Write(1, ref bytes[0], bytes.Length);
    }

    /// <summary>The pipes to the node are not kept: whoever reads them sees their end.</summary>
    private static void LetGo()
    {
        int nothing = Native.Open("/dev/null", Native.OpenReadWrite | Native.CloseOnExec, 0);
        for (int standard = 0; standard <= 2; standard++)
        {
            _ = Native.Duplicate(nothing, standard);
        }
    }
}
