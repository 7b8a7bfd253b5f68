using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Input;

/// <summary>What the shim is told next, and how many bytes of input follow.</summary>
internal readonly record struct InputStep(ShimFrame Frame, int Bytes);
