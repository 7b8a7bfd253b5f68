namespace AgentMesh.Workers.Processes;

/// <param name="Words">The program and its arguments; never read by a shell.</param>
/// <param name="Environment">Added to the node's environment.</param>
public sealed record ProcessOrder(IReadOnlyList<string> Words, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);

/// <summary>Starts programs the way the platform can keep them together.</summary>
public interface IProcessLauncher
{
    /// <exception cref="Errors.MeshException">AM0605: the program does not exist or may not be started.</exception>
    ILaunchedProcess Launch(ProcessOrder order);
}

/// <summary>A running program with everything it started.</summary>
public interface ILaunchedProcess : IDisposable
{
    /// <summary>Of the group's leader.</summary>
    int Id { get; }

    Stream Stdout { get; }

    Stream Stderr { get; }

    /// <summary>The exit code; 128 plus the signal for a program that a signal ended.</summary>
    Task<int> Exited { get; }

    /// <summary>SIGTERM to the whole group, or the nearest that the platform has.</summary>
    void AskToEnd();

    /// <summary>SIGKILL to the whole group; also after the leader's exit, for what it left behind.</summary>
    void Kill();
}
