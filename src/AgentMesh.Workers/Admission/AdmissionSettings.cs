using AgentMesh.Mesh.Turns;

namespace AgentMesh.Workers.Admission;

/// <summary>How much of everything a device gives at the same time.</summary>
/// <param name="Capacity">What it has that is used up while an attempt runs.</param>
/// <param name="RunningMax">Attempts at the same time.</param>
/// <param name="QueuedMax">Attempts that wait for their turn; more are refused with AM0609.</param>
public sealed record AdmissionSettings(ResourceAmounts Capacity, int RunningMax, int QueuedMax)
{
    public TurnRules Rules { get; init; } = TurnRules.Default;
}
