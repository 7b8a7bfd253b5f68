using System.Diagnostics;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>A node in a session of its own: it outlives the terminal that started it.</summary>
internal static class DetachedNode
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StoppedWithin = TimeSpan.FromSeconds(20);

    /// <summary>Returns when the node answers, or with the end of its log when it has ended instead.</summary>
    public static async Task<int> Start(Session session, CancellationToken cancel)
    {
        NodeSettings settings = session.Settings();
        string log = Path.Combine(settings.DataDirectory, "node.log");
        PrivateDirectory.Create(settings.DataDirectory);
        using Process process = Launch(session, settings, log);
        using var client = new ControlClient(settings.ControlSocket);
        long deadline = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(deadline) < ReadyWithin)
        {
            if (process.HasExited)
            {
                throw new MeshException(CliErrors.StartFailed, $"the node ended at once with exit code {process.ExitCode}:\n{Tail(log)}", $"the whole log is in {log}");
            }

            try
            {
                StatusView status = await client.GetAsync("v1/status", ControlJson.Default.StatusView, cancel).ConfigureAwait(false);
                if (status.ProcessId == process.Id)
                {
                    session.Terminal.Note($"{status.Name} ({status.Id}) is up on {string.Join(", ", status.Addresses)} as process {status.ProcessId}");
                    return 0;
                }
            }
            catch (MeshException)
            {
                // Not ready yet.
            }

            await Task.Delay(Poll, TimeProvider.System, cancel).ConfigureAwait(false);
        }

        throw new MeshException(CliErrors.StartFailed, $"the node did not become ready within {ReadyWithin.TotalSeconds} s:\n{Tail(log)}", $"the whole log is in {log}");
    }

    public static async Task WaitUntilStopped(NodeSettings settings, CancellationToken cancel)
    {
        string file = Path.Combine(settings.DataDirectory, "node.pid");
        long began = TimeProvider.System.GetTimestamp();
        while (File.Exists(file))
        {
            if (TimeProvider.System.GetElapsedTime(began) > StoppedWithin)
            {
                throw new MeshException(CliErrors.TimedOut, $"the node did not stop within {StoppedWithin.TotalSeconds} s", "look into its log, or end the process by the number in " + file);
            }

            await Task.Delay(Poll, TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }

    private static Process Launch(Session session, NodeSettings settings, string log)
    {
        var start = new ProcessStartInfo { UseShellExecute = false };
        var words = new List<string> { Environment.ProcessPath! };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            words.Add(typeof(DetachedNode).Assembly.Location);
        }

        words.AddRange(["up", "--data-dir", settings.DataDirectory, "--name", settings.DeviceName]);
        if (session.ConfigFile is { } config)
        {
            words.AddRange(["--config", Path.GetFullPath(config)]);
        }

        if (session.Options.TryGetValue("listen.port", out string? port))
        {
            words.AddRange(["--port", port]);
        }

        if (session.Options.ContainsKey("listen.hosts"))
        {
            words.AddRange(["--listen", .. settings.Listen.Select(endpoint => endpoint.Address.ToString())]);
        }

        if (OperatingSystem.IsWindows())
        {
            start.FileName = words[0];
            words.Skip(1).ToList().ForEach(start.ArgumentList.Add);
            start.CreateNoWindow = true;
            return Process.Start(start)!;
        }

        // The shell opens the log and becomes the node, so the process id stays and no pipe to this process is left.
        start.FileName = "/bin/sh";
        foreach (string word in (string[])["-c", "log=$1; shift; trap '' HUP; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "agentmesh-up", log, .. words])
        {
            start.ArgumentList.Add(word);
        }

        return Process.Start(start)!;
    }

    private static string Tail(string log)
    {
        try
        {
            return string.Join('\n', File.ReadLines(log).TakeLast(12));
        }
        catch (IOException)
        {
            return "(no log)";
        }
    }
}
