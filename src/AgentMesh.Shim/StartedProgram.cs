using System.Collections;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <param name="Identity">Of the guard that leads its session and group.</param>
/// <param name="Stdout">The end of a pipe that this process reads; not blocking.</param>
/// <param name="Watch">Readable when the guard has ended; -1 where the kernel cannot tell.</param>
/// <param name="GuardPipe">Never closed by this process: its end tells the guard that this process has.</param>
/// <param name="Terminal">The master of its terminal, where it has one, else -1; the same terminal as <paramref name="Stdout"/>, but not the same file.</param>
/// <param name="Done">Readable when the program on the terminal has ended; -1 without one.</param>
/// <param name="Go">Closed when all of its output was read; -1 without a terminal.</param>
internal sealed record StartedProgram(ProcessIdentity Identity, int Stdout, int Stderr, int Watch, int GuardPipe, int Terminal, int Done, int Go)
{
    private const string Shell = "/bin/sh";

    public static StartedProgram Start(LaunchFile launch)
    {
        int[] guard = Pipe(), output = Pipe(), error = Pipe(), done = [-1, -1], go = [-1, -1], more = [];
        (int master, int slave) = (-1, -1);
        if (launch.Terminal is { } size)
        {
            (master, slave) = PseudoTerminal.Open(size);
            (done, go) = (Pipe(), Pipe());
            more = [Native.DuplicateOf(slave), Native.DuplicateOf(done[1]), Native.DuplicateOf(go[0])];
        }

        int id = Native.Spawn(Shell, ["sh", "-c", .. GuardOf(launch), .. launch.Words], EnvironmentOf(launch), launch.WorkingDirectory, guard[0], output[1], error[1], more);
        foreach (int file in (int[])[guard[0], output[1], error[1], slave, done[1], go[0], .. more])
        {
            _ = Native.Close(file);
        }

        if (master >= 0)
        {
            // What is written to the terminal is the output; the guard's own pipe carries nothing.
            _ = Native.Close(output[0]);
        }

        ProcessIdentity identity = ProcessIdentity.Of(id) ?? new ProcessIdentity(id, 0);
        return new StartedProgram(
            identity, master >= 0 ? master : output[0], error[0], Native.WatchProcess(id), guard[1], master >= 0 ? Native.DuplicateOf(master) : -1, done[0], go[1]);
    }

    private static string[] GuardOf(LaunchFile launch)
    {
        string enter = launch.Environment.ContainsKey(Guard.CgroupVariable) ? Guard.EnterCgroup : "";
        if (launch.Terminal is not null)
        {
            return [enter + Guard.ScriptWithTerminal, Guard.Name, Guard.Leader];
        }

        if (!launch.TakesInput)
        {
            return [enter + Guard.Script, Guard.Name];
        }

        if (Native.MakeFifo(ShimFiles.Input, 0x180) != 0)
        {
            throw Native.Failed("a pipe for the input could not be made");
        }

        return [enter + Guard.ScriptWithInput, Guard.Name, Path.GetFullPath(ShimFiles.Input)];
    }

    private static List<string> EnvironmentOf(LaunchFile launch)
    {
        var all = new List<string>();
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
        {
            // That of a program that has started this node is not for its programs.
            if (!launch.Environment.ContainsKey((string)entry.Key) && (string)entry.Key != Guard.CgroupVariable)
            {
                all.Add($"{entry.Key}={entry.Value}");
            }
        }

        all.AddRange(launch.Environment.Select(entry => $"{entry.Key}={entry.Value}"));
        return all;
    }

    private static int[] Pipe()
    {
        int[] ends = new int[2];
        return Native.Pipe(ends, Native.CloseOnExec) == 0 ? ends : throw Native.Failed("a pipe could not be made");
    }
}
