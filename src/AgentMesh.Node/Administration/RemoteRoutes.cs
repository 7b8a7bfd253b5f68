using System.Collections.Frozen;

namespace AgentMesh.Node.Administration;

/// <summary>Which requests of the control API another device may make. By the patterns of the routes and not by what was sent: a path can be written in several ways.</summary>
internal static class RemoteRoutes
{
    /// <summary>
    /// Whatever was granted: a way on to a third device, which would see the wrong one ask; what takes the node or its key away from whoever asks; a capture of packets, which would record itself.
    /// </summary>
    private static readonly FrozenSet<string> Here = new[] { OnPattern, "/v1/shutdown", "/v1/compromised", "/v1/devices/rotate-key", "/v1/trace" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Not among them: settings and invitations, which may hold secrets, and the input of programs, which is a GET.</summary>
    private static readonly FrozenSet<string> Reads = new[]
    {
        "/v1/status", "/v1/peers", "/v1/diagnostics", "/v1/pairings", "/v1/devices", "/v1/device", "/v1/history", "/v1/jobs", "/v1/job", "/v1/job/history", "/v1/job/output", "/v1/audit",
        "/v1/array", "/v1/array/elements", "/v1/artifacts", "/v1/artifact/content", "/v1/workflows", "/v1/workflow", "/v1/groups", "/v1/group", "/v1/crons", "/v1/cron",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The route that leads to another device.</summary>
    public const string OnPattern = "/v1/on";

    /// <param name="route">The pattern of the route; null where there is none for what was asked.</param>
    public static bool IsForDeviceItself(string? route) => route is not null && Here.Contains(route);

    /// <returns>Whether it shows something and changes nothing.</returns>
    public static bool IsRead(string method, string? route) => method == "GET" && route is not null && Reads.Contains(route);
}
