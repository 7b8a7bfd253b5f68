using AgentMesh.Workers.Cgroups;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;

namespace AgentMesh.Workers.Attempts;

/// <summary>What every execution of a device shares.</summary>
/// <param name="Launcher">For programs, where <paramref name="Shims"/> is null.</param>
/// <param name="Grace">How long a program may take to end after it was asked, before it is killed.</param>
public sealed record ExecutionTools(
    string DeviceName,
    HandlerRegistry Handlers,
    IProcessLauncher Launcher,
    ProcessLedger Ledger,
    string WorkingDirectory,
    TimeSpan Grace,
    TimeProvider Time,
    ShimSettings? Shims = null)
{
    /// <summary>Null: programs are kept together by their process groups alone.</summary>
    public CgroupTree? Cgroups { get; init; }

    /// <summary>Null: programs that are to be locked in are refused.</summary>
    public ProgramFence? Fence { get; init; }

    public InputSettings Input { get; init; } = InputSettings.Default;

    /// <summary>Null: programs with artifacts are refused.</summary>
    public IArtifactCarrier? Artifacts { get; init; }

    /// <summary>Used where <see cref="Shims"/> is not null.</summary>
    internal IShims ShimProcesses { get; init; } = Workers.Shims.ShimProcesses.Instance;
}
