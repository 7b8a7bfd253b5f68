using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>
/// Each program gets a session and process group of its own, led by a small guard. The guard holds one end of a pipe (its stdin) whose other
/// end is the node's: when the node dies, however it dies, the pipe closes and the guard kills the group. So nothing is orphaned, without
/// asking for a capability or a daemon.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class GroupLauncher : IProcessLauncher
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    // The watcher reads the pipe, which never carries a byte. The guard survives SIGTERM to the group, to pass on the exit code; because a
    // trap with a command is not inherited, the program gets the default action. What the guard itself says, such as "Terminated", is not the
    // program's and goes nowhere; a shell says it to where the command it ran says things, hence the shell of its own around the program.
    private const string Guard =
        "exec 3<&0 4>&2 </dev/null 2>/dev/null; trap : TERM INT HUP; " +
        "(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 4>&- & watcher=$!; " +
        "(exec \"$@\" 2>&4 3<&- 4>&-); code=$?; kill -KILL $watcher; exit $code";

    public ILaunchedProcess Launch(ProcessOrder order)
    {
        string program = ProgramPath.Find(order.Words[0], order.WorkingDirectory, order.Environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "");
        var start = new ProcessStartInfo("setsid")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = order.WorkingDirectory,
        };
        foreach (string word in (string[])["sh", "-c", Guard, "agentmesh-guard", program, .. order.Words.Skip(1)])
        {
            start.ArgumentList.Add(word);
        }

        foreach ((string name, string value) in order.Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return new Group(Process.Start(start)!);
        }
        catch (Win32Exception error)
        {
            throw new MeshException(WorkerErrors.ProgramNotStarted, $"'{order.Words[0]}' could not be started: {error.Message}", "the device needs 'setsid' (util-linux) and 'sh'", error);
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int process, int signal);

    private sealed class Group : ILaunchedProcess
    {
        private readonly Process _leader;

        public Group(Process leader)
        {
            _leader = leader;
            Id = leader.Id;
            Exited = WaitAsync();
        }

        public int Id { get; }

        public Stream Stdout => _leader.StandardOutput.BaseStream;

        public Stream Stderr => _leader.StandardError.BaseStream;

        public Task<int> Exited { get; }

        // The group's number is the leader's and stays taken while any member lives, so it cannot hit a stranger.
        public void AskToEnd() => _ = SendSignal(-Id, SigTerm);

        public void Kill() => _ = SendSignal(-Id, SigKill);

        public void Dispose()
        {
            Kill();
            _leader.Dispose();
        }

        private async Task<int> WaitAsync()
        {
            await _leader.WaitForExitAsync().ConfigureAwait(false);
            return _leader.ExitCode;
        }
    }
}
