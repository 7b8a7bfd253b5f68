using System.ComponentModel;
using System.Diagnostics;
using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>
/// For systems without <c>setsid</c>: ends the tree of child processes as far as the platform can see it. A node that is killed there leaves its
/// programs running; <see cref="ProcessLedger"/> finds them at the next start.
/// </summary>
internal sealed class PortableLauncher : IProcessLauncher
{
    public ILaunchedProcess Launch(ProcessOrder order)
    {
        var start = new ProcessStartInfo(order.Words[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = order.WorkingDirectory,
        };
        foreach (string word in order.Words.Skip(1))
        {
            start.ArgumentList.Add(word);
        }

        foreach ((string name, string value) in order.Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return new Tree(process);
        }
        catch (Win32Exception error)
        {
            throw new MeshException(WorkerErrors.ProgramNotStarted, $"'{order.Words[0]}' cannot be started: {error.Message}", "name the program with its path on that device, or install it there", error);
        }
    }

    private sealed class Tree : ILaunchedProcess
    {
        private readonly Process _process;

        public Tree(Process process)
        {
            _process = process;
            Id = process.Id;
            Exited = WaitAsync();
        }

        public int Id { get; }

        public Stream Stdout => _process.StandardOutput.BaseStream;

        public Stream Stderr => _process.StandardError.BaseStream;

        public Task<int> Exited { get; }

        public void AskToEnd() => Kill();

        public void Kill()
        {
            try
            {
                _process.Kill(entireProcessTree: true);
            }
            catch (Exception error) when (error is InvalidOperationException or Win32Exception)
            {
                // Ended already.
            }
        }

        public void Dispose()
        {
            Kill();
            _process.Dispose();
        }

        private async Task<int> WaitAsync()
        {
            await _process.WaitForExitAsync().ConfigureAwait(false);
            return _process.ExitCode;
        }
    }
}
