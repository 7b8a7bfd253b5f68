namespace AgentMesh.Beacon;

/// <summary>Error codes of beacons and of reaching devices through them, AM0170 to AM0189. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class BeaconErrors
{
    public const string Unreachable = "AM0170";
    public const string Full = "AM0171";
    public const string AdmissionFile = "AM0172";
}
