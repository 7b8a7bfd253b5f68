using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>invite, invitations, join: devices that meet for the first time.</summary>
internal static class PairingVerbs
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    public static IEnumerable<Command> All(GlobalOptions global)
    {
        yield return Invite(global);
        yield return Invitations(global);
        yield return Join(global);
    }

    /// <summary>A link is told by what no code has; everything else is read as a code, and complained about as one.</summary>
    public static JoinRequest RequestOf(string text, IReadOnlyList<string>? grants = null, string? at = null, bool noIntroduce = false)
    {
        bool isLink = text.AsSpan().ContainsAny(":/?=&");
        return new JoinRequest(Link: isLink ? text : null, Grants: grants, Code: isLink ? null : text, At: at, NoIntroduce: noIntroduce);
    }

    public static Option<bool> NewNoIntroduce() => new("--no-introduce") { Description = "The inviting device may not let further devices in here; otherwise it may, until 'agentmesh grant NAME introduce --revoke'." };

    private static Command Invite(GlobalOptions global)
    {
        var grants = new Option<string[]>("--grant") { Description = "What the joining device may do here beside the default: run (start programs), logs (read output), introduce (let further devices in here), admin (all that you can do here); docs/trust.md.", AllowMultipleArgumentsPerToken = true };
        var lifetime = new Option<TimeSpan?>("--valid") { Description = "How long the code and the link can be used (default 10m).", CustomParser = Durations.Parse };
        var wait = new Option<bool>("--wait") { Description = "Stay until a device has joined, then show its check digits; say when somebody tried a wrong code, and which one counts now." };
        var code = new Option<bool>("--code") { Description = "Print the code only." };
        var link = new Option<bool>("--link") { Description = "Print the link only." };
        var qr = new Option<bool>("--qr") { Description = "Show the link as a QR code too, for a camera." };
        return global.Verb("invite", "Print a code, and a link, with which one other device joins.", [grants, lifetime, wait, code, link, qr], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            var request = new InviteRequest(parsed.GetValue(grants), parsed.GetValue(lifetime)?.TotalMilliseconds);
            InvitationView invitation = await client.PostAsync("v1/invitations", request, ControlJson.Default.InviteRequest, ControlJson.Default.InvitationView, cancel).ConfigureAwait(false);
            bool both = parsed.GetValue(code) == parsed.GetValue(link);
            string text = both && invitation.Code is not null ? $"code  {invitation.Code}\nlink  {invitation.Link}"
                : !both && parsed.GetValue(code) && invitation.Code is { } only ? only
                : invitation.Link;
            session.Terminal.Answer(invitation, ControlJson.Default.InvitationView, text);
            if (parsed.GetValue(qr) && !session.Terminal.Json)
            {
                session.Terminal.Out.WriteLine(QrText.Of(invitation.Link, session.Terminal.Console.Profile.Capabilities.Ansi));
            }

            string example = invitation.Code is { } shown && (both || parsed.GetValue(code)) ? shown : "'LINK'";
            session.Terminal.Hint($"valid once, until {invitation.ExpiresAt.ToLocalTime():HH:mm:ss}; on the other device: agentmesh join {example}");
            if (both && invitation.Code is not null)
            {
                session.Terminal.Hint($"the code works {WaysOf(invitation.Ways)}with --at HOST; the link works wherever this device can be reached");
            }

            PeerVerbs.HintAtAdmin(session, "the device that joins", request.Grants ?? []);
            return parsed.GetValue(wait) ? await WaitForJoin(session, client, invitation, cancel).ConfigureAwait(false) : 0;
        });
    }

    private static string WaysOf(CodeWaysView? ways) => ways switch
    {
        { LocalNetwork: true, Beacons: [] } => "on the same network, or ",
        { LocalNetwork: true, Beacons: var beacons } => $"on the same network, anywhere for a device with the beacon {string.Join(" or ", beacons)}, or ",
        { Beacons: { Count: > 0 } beacons } => $"for a device with the beacon {string.Join(" or ", beacons)}, or ",
        _ => "",
    };

    private static async Task<int> WaitForJoin(Session session, ControlClient client, InvitationView invitation, CancellationToken cancel)
    {
        int guesses = 0;
        string? code = invitation.Code;
        while (true)
        {
            IReadOnlyList<PairingView> pairings = await client.GetAsync("v1/pairings", ControlJson.Default.IReadOnlyListPairingView, cancel).ConfigureAwait(false);
            if (pairings.FirstOrDefault(pairing => pairing.Invitation == invitation.Id) is { } joined)
            {
                ShowPairing(session, joined, "the other device shows the same digits");
                return 0;
            }

            IReadOnlyList<InvitationStateView> states = await client.GetAsync("v1/invitations", ControlJson.Default.IReadOnlyListInvitationStateView, cancel).ConfigureAwait(false);
            InvitationStateView? state = states.FirstOrDefault(each => each.Id == invitation.Id);
            if (state is { State: "open" })
            {
                TellGuesses(session, state, ref guesses, ref code);
            }
            else if (state is not { State: "used" } || TimeProvider.System.GetUtcNow() > invitation.ExpiresAt)
            {
                session.Terminal.Note("nobody joined: the invitation has expired");
                return CommandRun.MeshFailure;
            }

            await Task.Delay(LookEvery, TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }

    private static void TellGuesses(Session session, InvitationStateView state, ref int guesses, ref string? code)
    {
        if (state.WrongGuesses > guesses)
        {
            guesses = state.WrongGuesses;
            session.Terminal.Note(
                $"somebody at {state.LastWrongFrom} tried a wrong code; "
                + (state.Code is { } now ? $"the code is now {now}" : "that was once too often: there is no further code, the link still works"));
        }
        else if (state.Code is { } other && other != code)
        {
            session.Terminal.Note($"the device that had the code did not join; the code is now {other}");
        }

        code = state.Code ?? code;
    }

    private static Command Invitations(GlobalOptions global) =>
        global.Verb("invitations", "List the invitations of this device, and the codes that count now.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            IReadOnlyList<InvitationStateView> all = await client.GetAsync("v1/invitations", ControlJson.Default.IReadOnlyListInvitationStateView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(all, ControlJson.Default.IReadOnlyListInvitationStateView);
                return 0;
            }

            session.Terminal.Table(
                ["ID", "STATE", "CODE", "UNTIL", "GRANTS", "WRONG GUESSES", "USED BY", "CHECK DIGITS"],
                all.Select(each => (IReadOnlyList<string>)
                [
                    each.Id[..8],
                    each.State,
                    each.Code ?? "-",
                    each.ExpiresAt.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture),
                    each.Grants.Count == 0 ? "-" : string.Join(' ', each.Grants),
                    each.WrongGuesses == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{each.WrongGuesses}, last from {each.LastWrongFrom}"),
                    each.UsedBy ?? "-",
                    each.CheckDigits ?? "-",
                ]));
            return 0;
        });

    private static Command Join(GlobalOptions global)
    {
        var code = new Argument<string[]>("CODE or LINK") { Description = "What 'agentmesh invite' printed on the other device: a code in any writing, or a link in quotes.", Arity = ArgumentArity.OneOrMore };
        var grants = new Option<string[]>("--grant") { Description = "What the inviting device may do here beside the default: run (start programs).", AllowMultipleArgumentsPerToken = true };
        var at = new Option<string>("--at") { Description = "HOST[:PORT] of the inviting device, where the local network does not lead to it (port 14590 if none is given)." };
        Option<bool> noIntroduce = NewNoIntroduce();
        return global.Verb("join", "Join the mesh of the device that gave the code or the link; ends when both devices know each other by name.", [code, grants, noIntroduce, at], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            JoinRequest request = RequestOf(string.Join(' ', parsed.GetValue(code)!), parsed.GetValue(grants), parsed.GetValue(at), parsed.GetValue(noIntroduce));
            PairingView paired = await client.PostAsync("v1/join", request, ControlJson.Default.JoinRequest, ControlJson.Default.PairingView, cancel).ConfigureAwait(false);
            ShowPairing(session, paired, "the other device shows the same digits: 'agentmesh invite --wait' or 'agentmesh invitations' there");
            return 0;
        });
    }

    public static void ShowPairing(Session session, PairingView paired, string hint)
    {
        session.Terminal.Answer(paired, ControlJson.Default.PairingView, $"paired with {paired.Name} ({paired.Id[..12]})\ncheck digits: {paired.CheckDigits}");
        if (paired.KnownThere == false)
        {
            session.Terminal.Note($"{paired.Name} has not said yet that it knows this device by its name: it will when they are linked, see 'agentmesh peers' here and there");
        }

        session.Terminal.Hint(hint);
    }
}
