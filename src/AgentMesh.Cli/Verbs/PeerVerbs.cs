using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Doctor;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>status, peers, grant, rename, forget, connect: the devices of the mesh.</summary>
internal static class PeerVerbs
{
    public static IEnumerable<Command> All(GlobalOptions global)
    {
        yield return global.Verb("status", "Show this device's node: addresses, cluster members, durability.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            StatusView status = await client.GetAsync("v1/status", ControlJson.Default.StatusView, cancel).ConfigureAwait(false);
            Show(session, status);
            return 0;
        });
        var paths = new Option<bool>("--paths") { Description = "Every path of every connection: in use, in doubt, backup, untried or failed." };
        yield return global.Verb("peers", "List the devices of the mesh, with the path to each: round trip, loss, for how long it is in use, greatest datagram, and why it is not direct.", [paths], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            IReadOnlyList<PeerView> peers = await client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, cancel).ConfigureAwait(false);
            if (parsed.GetValue(paths) && !session.Terminal.Json)
            {
                session.Terminal.Table(PathLines.Headings, PathLines.Rows(peers));
                return 0;
            }

            ShowPeers(session, peers);
            return 0;
        });
        yield return Grant(global);
        yield return Rename(global);
        yield return Forget(global);
        yield return Connect(global);
    }

    public static void ShowPeers(Session session, IReadOnlyList<PeerView> peers)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(peers, ControlJson.Default.IReadOnlyListPeerView);
            return;
        }

        session.Terminal.Table(
            ["#", "NAME", "STATE", "ADDRESS", "PATH", "WHY", "RTT", "LOSS", "AGE", "DATAGRAM", "LAST SEEN", "ID", "LABELS"],
            peers.Select(peer => (IReadOnlyList<string>)
            [
                peer.Index.ToString(CultureInfo.InvariantCulture),
                peer.Name + (peer.IsLocal ? " (this device)" : ""),
                peer.State,
                peer.Address ?? "-",
                peer.Path ?? "-",
                peer.RelayedCode ?? peer.ProblemCode ?? "-",
                PathLines.RoundTrip(peer.RoundTripMs),
                PathLines.Loss(peer.IsLocal ? null : peer.LossRatio),
                PathLines.InUse(peer.Paths?.FirstOrDefault()),
                PathLines.Datagram(peer.Paths?.FirstOrDefault()),
                peer.IsLocal || peer.State == "connected" ? "now" : peer.LastSeen is { } seen ? Durations.Age(TimeProvider.System.GetUtcNow() - seen) + " ago" : "never",
                peer.Id[..12],
                string.Join(' ', peer.Labels),
            ]));
        foreach (PeerView peer in peers.Where(peer => peer.RelayedReason is not null))
        {
            session.Terminal.Note($"{peer.Name} is relayed: {peer.RelayedReason}");
        }
    }

    private static void Show(Session session, StatusView status)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(status, ControlJson.Default.StatusView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine($"device      {status.Name} ({status.Id})");
        to.WriteLine($"version     {status.Version}, engine {status.Engine}, process {status.ProcessId}, up {Durations.Age(TimeProvider.System.GetUtcNow() - status.StartedAt)}");
        to.WriteLine($"data        {status.DataDirectory}");
        to.WriteLine($"addresses   {string.Join(", ", status.Addresses)}");
        to.WriteLine($"durability  {status.Durability}");
        if (status.Key is { } key)
        {
            to.WriteLine($"key         {key.Code}: {key.Message}");
            session.Terminal.Note($"{key.Code}: {key.Next}");
        }

        to.WriteLine($"peers       {status.PeersConnected} of {status.PeersKnown} connected");
        if (status.Connections is { } connections)
        {
            to.WriteLine($"connections {ConnectionsLines.Of(connections)}");
        }

        if (status is { Paths: { } paths, PeersConnected: > 0 })
        {
            to.WriteLine($"paths       {PathLines.Of(paths)}");
        }

        foreach (BeaconView beacon in status.Beacons ?? [])
        {
            to.WriteLine($"beacon      {beacon.Address}: {((beacon.SeenAt is { } at ? $"seen at {at}" : beacon.Transport == "wss" ? "by WebSocket (UDP blocked)" : beacon.Transport) is { } how ? $"registered, {how}, {beacon.Devices} device{(beacon.Devices == 1 ? "" : "s")} there{(beacon.Dropped > 0 ? $", {beacon.Dropped} datagrams dropped above its allowance" : "")}" : beacon.Problem is { } problem ? $"{problem.Code}: {problem.Message}" : "being connected")}");
        }

        if (status.Nat is { } nat)
        {
            to.WriteLine($"nat         {NatLines.Of(nat)}");
        }

        if (status.Gateway is { } gateway)
        {
            to.WriteLine($"gateway     {GatewayLines.Of(gateway)}");
        }

        foreach (StunView stun in status.Stun ?? [])
        {
            to.WriteLine($"stun        {stun.Server}: {(stun.SeenAt is { } at ? $"sees this device at {at}" : stun.Problem is { } silent ? $"{silent.Code}: {silent.Message}" : "being asked")}");
        }

        if (status.BeaconRole is { } role)
        {
            to.WriteLine($"is a beacon on {string.Join(", ", role.Listening)}{(role.Tls.Count > 0 ? $", WebSockets on {string.Join(", ", role.Tls)}" : ", UDP only")}: {role.Devices} device{(role.Devices == 1 ? "" : "s")}, {role.Channels} channels; agentmesh.beacons = [\"{role.Line}\"]");
        }

        if (status.Discovery is { } discovery)
        {
            to.WriteLine($"discovery   {DiscoveryLines.Of(discovery)}");
        }

        foreach (TurnView turn in status.Turn ?? [])
        {
            to.WriteLine($"turn        {turn.Server}: {NetworkChecks.TurnLine(turn)}");
        }

        if (status.Pool is { } pool)
        {
            string members = string.Join(", ", pool.Members.Select(member => string.Create(
                CultureInfo.InvariantCulture, $"{member.Name} {(member.LeaseLeftMs > 0 ? $"(lease {member.LeaseLeftMs / 1000:0.0} s, {member.Shards} shards, epoch {member.EpochMax})" : "(gone)")}")));
            to.WriteLine($"pool        {pool.Name} in {pool.Database}: {(pool.Problem is { } why ? $"{why.Code}: {why.Message}" : $"{pool.ShardsHeld} shards here; members: {members}")}");
        }

        to.WriteLine($"cluster     {string.Join(", ", status.Members.Select(member => $"{member.Name ?? member.Id[..12]} {member.Status}{(member.Reachable ? "" : " (unreachable)")}"))} (generation {status.Generation})");
        to.WriteLine($"running     {status.AttemptsRunning}");
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory      {status.MemoryBytes / 1048576.0:0} MiB"));
    }

    private static Command Grant(GlobalOptions global)
    {
        var peer = new Argument<string>("PEER") { Description = "Name, index or id prefix." };
        var names = new Argument<string[]>("GRANT") { Description = "What that device may do here: run (start any program), run:PROGRAM (this one), dir:/PATH (have it begin, read and write there), read:/PATH (have it read there), command:NAME, logs (read the output of jobs of this device), introduce (let further devices in here), admin (all that you can do here, by --on), admin:read (look only); docs/trust.md.", Arity = ArgumentArity.OneOrMore };
        var revoke = new Option<bool>("--revoke") { Description = "Take them away instead." };
        var drop = new Option<bool>("--drop-introduced") { Description = "With --revoke introduce: those who are in by its word are out too; otherwise they stay by the word of this device." };
        return global.Verb("grant", "Allow another device to do more on this one: start programs, read output, introduce others, administer it.", [peer, names, revoke, drop], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string[] given = parsed.GetValue(names)!;
            GrantRequest request = parsed.GetValue(revoke)
                ? new GrantRequest(parsed.GetValue(peer)!, Revoke: given, DropIntroduced: parsed.GetValue(drop))
                : new GrantRequest(parsed.GetValue(peer)!, Grant: given);
            PeerView changed = await client.PostAsync("v1/grants", request, ControlJson.Default.GrantRequest, ControlJson.Default.PeerView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(changed, ControlJson.Default.PeerView, $"{changed.Name} may do here: {(changed.Grants.Count == 0 ? "nothing that needs a grant" : string.Join(", ", changed.Grants))}");
            if (changed.Grants.Contains(Mesh.Grants.Grant.Run) && changed.Grants.FirstOrDefault(grant => grant.StartsWith(Mesh.Grants.Grant.RunKind, StringComparison.Ordinal)) is { } narrow)
            {
                session.Terminal.Hint($"run allows every program: 'agentmesh grant {changed.Name} run --revoke' leaves {narrow}");
            }

            HintAtAdmin(session, changed.Name, request.Grant ?? []);

            return 0;
        });
    }

    /// <summary>What one word gives away is said when it is given.</summary>
    public static void HintAtAdmin(Session session, string device, IReadOnlyList<string> given)
    {
        if (given.Any(grant => Mesh.Grants.Grant.Read(grant) == Mesh.Grants.Grant.Admin))
        {
            session.Terminal.Hint($"admin lets {device} do all that you can do here, by --on: start any program, read all output, change settings, grant more, put devices out");
        }
    }

    public static Command Rename(GlobalOptions global)
    {
        var peer = new Argument<string>("PEER") { Description = "Name, index or id prefix." };
        var name = new Argument<string>("NAME") { Description = "What it is called on this device from now on." };
        return global.Verb("rename", "Call another device by another name on this one.", [peer, name], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            var request = new RenameRequest(parsed.GetValue(peer)!, parsed.GetValue(name)!);
            PeerView changed = await client.PostAsync("v1/rename", request, ControlJson.Default.RenameRequest, ControlJson.Default.PeerView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(changed, ControlJson.Default.PeerView, $"{changed.Id[..12]} is called {changed.Name} here");

            return 0;
        });
    }

    public static Command Forget(GlobalOptions global)
    {
        var peer = new Argument<string>("PEER") { Description = "Name, index or id prefix." };
        return global.Verb("forget", "Put another device out: it cannot connect here any more, nor can those that only it has let in.", [peer], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            ForgottenView gone = await client.PostAsync(
                "v1/forget", new ForgetRequest(parsed.GetValue(peer)!), ControlJson.Default.ForgetRequest, ControlJson.Default.ForgottenView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(gone, ControlJson.Default.ForgottenView, $"{gone.Name} ({gone.Id[..12]}) is forgotten here; it comes back only with a new invitation");
            session.Terminal.Hint("other devices decide for themselves: 'agentmesh devices revoke' puts a device out for all of them");
            return 0;
        });
    }

    public static ConnectRequest RequestOf(string place, int port) => place.StartsWith('@') ? new ConnectRequest(null, Peer: place[1..]) : new ConnectRequest(place, port);

    private static Command Connect(GlobalOptions global)
    {
        var host = new Argument<string>("HOST") { Description = "A host or address; or @NAME for a device where it is known to be, also one that is not dialled by itself." };
        var port = new Argument<int>("PORT") { DefaultValueFactory = _ => 14590 };
        return global.Verb("connect", "Try an address at which an admitted device may be found.", [host, port], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            PeerView found = await client.PostAsync(
                "v1/connect", RequestOf(parsed.GetValue(host)!, parsed.GetValue(port)), ControlJson.Default.ConnectRequest, ControlJson.Default.PeerView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(found, ControlJson.Default.PeerView, $"connected to {found.Name} at {found.Address}");

            return 0;
        });
    }
}
