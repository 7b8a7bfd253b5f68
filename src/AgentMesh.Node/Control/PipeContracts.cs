namespace AgentMesh.Node.Control;

/// <summary>POST /v1/pipes: programs on devices, each reading what the one before it writes; docs/pipes.md.</summary>
/// <param name="Line">As typed: <c>@a PROGRAM | @b PROGRAM</c>.</param>
/// <param name="TimeoutMs">Then the pipe is ended; null for no bound.</param>
public sealed record PipeRequest(string Line, double? TimeoutMs = null);
