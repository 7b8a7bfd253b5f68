namespace AgentMesh.Beacon;

/// <summary>Error codes of beacons and of reaching devices through them, AM0154 to AM0159 and AM0170 to AM0189. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class BeaconErrors
{
    public const string CannotListen = "AM0154";
    public const string NotTrusted = "AM0155";
    public const string NoWebSocket = "AM0156";
    public const string Proxy = "AM0157";
    public const string CertificateFiles = "AM0158";
    public const string Unreachable = "AM0170";
    public const string Full = "AM0171";
    public const string AdmissionFile = "AM0172";
    public const string Nonsense = "AM0174";
}
