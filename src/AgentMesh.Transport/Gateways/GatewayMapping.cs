using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>A UDP port of this device that a gateway passes on from outside.</summary>
/// <param name="Protocol">pcp, nat-pmp or upnp.</param>
/// <param name="Gateway">Who maps.</param>
/// <param name="External">Where others reach this device.</param>
/// <param name="InternalPort">Of this device.</param>
/// <param name="Lifetime">As granted; zero is for ever.</param>
/// <param name="MadeAt">Monotonic, of the mapper's clock; renewed mappings have a new one.</param>
public sealed record GatewayMapping(string Protocol, IPAddress Gateway, IPEndPoint External, int InternalPort, TimeSpan Lifetime, TimeSpan MadeAt)
{
    public GatewayAddressKind Kind => GatewayAddresses.KindOf(External.Address);

    public bool IsForEver => Lifetime == TimeSpan.Zero;
}

/// <summary>What is known of this device's gateway.</summary>
/// <param name="Gateway">Null where there is no default route.</param>
/// <param name="Mapping">Null while there is none.</param>
/// <param name="IsLooking">No answer yet.</param>
/// <param name="Failures">For each protocol without success, why.</param>
public sealed record GatewayStatus(IPAddress? Gateway, GatewayMapping? Mapping, bool IsLooking, IReadOnlyList<GatewayFailure> Failures)
{
    public static GatewayStatus Looking { get; } = new(null, null, true, []);
}

/// <param name="WasAnswered">The gateway refused; false: nobody there speaks the protocol.</param>
public readonly record struct GatewayFailure(string Protocol, string Reason, bool WasAnswered);
