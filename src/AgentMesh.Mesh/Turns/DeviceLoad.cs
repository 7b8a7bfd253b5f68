namespace AgentMesh.Mesh.Turns;

/// <summary>What a device has to do, as it says itself.</summary>
/// <param name="Running">Attempts of jobs.</param>
/// <param name="Waiting">Attempts in line there.</param>
/// <param name="Capacity">What it has that jobs use up; null while it is unknown.</param>
/// <param name="Free">What nobody uses of it now.</param>
public sealed record DeviceLoad(int Running, int Waiting, ResourceAmounts? Capacity, ResourceAmounts Free)
{
    public static DeviceLoad Unknown { get; } = new(0, 0, null, ResourceAmounts.None);
}
