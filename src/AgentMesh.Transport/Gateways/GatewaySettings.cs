namespace AgentMesh.Transport.Gateways;

/// <summary>How a port of this device is mapped at its gateway. Immutable.</summary>
/// <param name="Protocols">Those that are tried: "pcp", "nat-pmp", "upnp".</param>
/// <param name="Lifetime">Asked for; the gateway may grant another.</param>
/// <param name="Check">How often the gateway is asked whether it still has the mapping.</param>
public sealed record GatewaySettings(IReadOnlyList<string> Protocols, TimeSpan Lifetime, TimeSpan Check)
{
    public const string Pcp = "pcp";
    public const string NatPmp = "nat-pmp";
    public const string Upnp = "upnp";

    public static IReadOnlyList<string> AllProtocols { get; } = [Pcp, NatPmp, Upnp];
}
