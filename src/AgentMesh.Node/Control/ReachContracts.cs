namespace AgentMesh.Node.Control;

/// <summary>The gateway of this device's network.</summary>
/// <param name="State">mapped, looking, none or no-gateway.</param>
/// <param name="Gateway">Its address; null where there is no default route.</param>
/// <param name="Protocol">pcp, nat-pmp or upnp.</param>
/// <param name="External">Where it passes on to this device; null while it does not.</param>
/// <param name="LifetimeLeftMs">Of the mapping; null where it has none, or never ends. It is renewed long before.</param>
/// <param name="Failures">What came of the other protocols.</param>
/// <param name="Problem">Why nothing is mapped, or why that helps little; null where all is well.</param>
public sealed record GatewayView(
    string State, string? Gateway, string? Protocol, string? External, double? LifetimeLeftMs, IReadOnlyList<GatewayFailureView> Failures, ProblemView? Problem);

public sealed record GatewayFailureView(string Protocol, string Reason);
