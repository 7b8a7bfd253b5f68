namespace AgentMesh.Workers.Processes;

public static class ProcessLauncher
{
    /// <summary>The best launcher that this platform has.</summary>
    public static IProcessLauncher ForThisPlatform() => OperatingSystem.IsLinux() ? new GroupLauncher() : new PortableLauncher();
}
