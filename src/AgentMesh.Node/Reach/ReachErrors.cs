namespace AgentMesh.Node.Reach;

/// <summary>Error codes of gateways and standard servers, AM0164 to AM0169, and of finding devices, from AM0180. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class ReachErrors
{
    public const string NoGateway = "AM0164";
    public const string GatewayRefused = "AM0165";
    public const string MappedInside = "AM0166";
    public const string StunSilent = "AM0167";
    public const string TurnRefused = "AM0168";
    public const string TurnCredentials = "AM0169";
    public const string DhtSilent = "AM0180";
    public const string DhtValue = "AM0183";
    public const string NotDialled = "AM0185";
    public const string NoStrangers = "AM0186";
    public const string MemoryDamaged = "AM0187";
    public const string NameNotResolved = "AM0188";
}
