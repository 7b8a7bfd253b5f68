namespace AgentMesh.Protocol.Punching;

/// <summary>Codes of what is found out about NATs, AM0151 to AM0153. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class NatErrors
{
    /// <summary>Some pairs stay relayed.</summary>
    public const string AtRandom = "AM0151";

    public const string ObserverSilent = "AM0152";
}
