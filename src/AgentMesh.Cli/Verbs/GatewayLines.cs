using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>What is known of the gateway, for people, in one line.</summary>
internal static class GatewayLines
{
    public static string Of(GatewayView gateway) => gateway switch
    {
        { State: "mapped" } => $"{gateway.Gateway} passes on {gateway.External} ({gateway.Protocol}, {Lifetime(gateway)}){(gateway.Problem is { } inside ? $"; {inside.Code}: {inside.Message}" : "")}",
        { State: "looking" } => "a router that maps ports is being looked for",
        { State: "no-gateway" } => "none: this network has no default route",
        { Problem: { } problem } => $"{problem.Code}: {problem.Message}",
        _ => "no port is mapped",
    };

    private static string Lifetime(GatewayView gateway) => gateway.LifetimeLeftMs is { } left ? $"renewed within {Durations.Age(TimeSpan.FromMilliseconds(left))}" : "for ever";
}
