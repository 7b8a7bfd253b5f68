using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Processes;

namespace AgentMesh.Workers.Attempts;

/// <summary>What every execution of a device shares.</summary>
/// <param name="Grace">How long a program may take to end after it was asked, before it is killed.</param>
public sealed record ExecutionTools(
    string DeviceName,
    HandlerRegistry Handlers,
    IProcessLauncher Launcher,
    ProcessLedger Ledger,
    string WorkingDirectory,
    TimeSpan Grace,
    TimeProvider Time);
