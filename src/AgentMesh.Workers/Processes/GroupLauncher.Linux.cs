using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using AgentMesh.Errors;
using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Processes;

/// <summary>
/// For programs that end with their node, where there is no shim: each gets a session and process group of its own, led by a <see cref="Guard"/>
/// whose pipe the node holds.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class GroupLauncher : IProcessLauncher
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

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
        foreach (string word in (string[])["sh", "-c", Guard.Script, Guard.Name, program, .. order.Words.Skip(1)])
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
