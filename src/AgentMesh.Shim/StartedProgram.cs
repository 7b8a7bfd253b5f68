using System.Collections;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <param name="Identity">Of the guard that leads its session and group.</param>
/// <param name="Stdout">The end of a pipe that this process reads; not blocking.</param>
/// <param name="Watch">Readable when the guard has ended; -1 where the kernel cannot tell.</param>
/// <param name="GuardPipe">Never closed by this process: its end tells the guard that this process has.</param>
internal sealed record StartedProgram(ProcessIdentity Identity, int Stdout, int Stderr, int Watch, int GuardPipe)
{
    private const string Shell = "/bin/sh";

    public static StartedProgram Start(LaunchFile launch)
    {
        int[] guard = Pipe(), output = Pipe(), error = Pipe();
        int id = Native.Spawn(
            Shell, ["sh", "-c", Guard.Script, Guard.Name, .. launch.Words], EnvironmentOf(launch), launch.WorkingDirectory, guard[0], output[1], error[1]);
        _ = Native.Close(guard[0]);
        _ = Native.Close(output[1]);
        _ = Native.Close(error[1]);
        return new StartedProgram(ProcessIdentity.Of(id) ?? new ProcessIdentity(id, 0), output[0], error[0], Native.WatchProcess(id), guard[1]);
    }

    private static List<string> EnvironmentOf(LaunchFile launch)
    {
        var all = new List<string>();
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
        {
            if (!launch.Environment.ContainsKey((string)entry.Key))
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
