using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Doctor;

/// <summary>Each device of the mesh, as this one sees it.</summary>
internal static class PeerChecks
{
    /// <param name="ping">A round trip to it; null when none was tried or it knows no ping.</param>
    /// <param name="introducer">By whose word it is in here; null where this device has paired it itself.</param>
    public static DoctorCheck Peer(PeerView peer, PingProbeView? ping, DateTimeOffset now, string? introducer = null)
    {
        string name = $"peer {peer.Name}";
        if (peer.State == "connected")
        {
            double? milliseconds = ping?.RoundTripMs ?? peer.RoundTripMs;
            string path = $"{peer.Address} {peer.Path}{(milliseconds is { } time ? ", " + Text.Milliseconds(time) : "")}";
            return ping is { Problem: { } silent } ? DoctorCheck.Warn(name, $"connected, {peer.Address} {peer.Path}, but a ping failed: {silent}", $"agentmesh ping {Text.Quoted(peer.Name)} -c 10; agentmesh doctor on {peer.Name}")
                : peer.IsMember
                ? DoctorCheck.Ok(name, $"connected, {path}")
                : DoctorCheck.Warn(name, $"connected, {path}, but not in the cluster of this device: commands to it wait", "this lasts seconds after pairing or a restart; if it stays: agentmesh status here and there");
        }

        string seen = peer.LastSeen is { } last ? $"last seen {Durations.Age(now - last)} ago" : "never seen";
        string why = peer.Problem is { Length: > 0 } problem ? $": {problem}" : "";
        string state = peer.State switch { "connecting" => "being dialled", "failed" => "not reachable", _ => "not connected" };
        return DoctorCheck.Warn(
            name,
            $"{state}, {seen}{why}",
            introducer is not null && peer.LastSeen is null && peer.Address is not null
                ? $"{introducer} has introduced it; {peer.Name} may not let {introducer} introduce this device there: agentmesh doctor on {peer.Name} says so; if it does not: agentmesh up --detach there"
                : peer.Address is null
                ? $"no address of it is known: agentmesh connect HOST with one, or 'agentmesh up' and 'agentmesh connect' on {peer.Name}"
                : $"on {peer.Name}: agentmesh up --detach; if it runs at another address than {peer.Address}: agentmesh connect HOST PORT here");
    }

    /// <summary>When there is nobody else.</summary>
    public static DoctorCheck Nobody() => DoctorCheck.Ok("peers", "this device knows no other yet ('agentmesh invite' gives a code for one)");
}
