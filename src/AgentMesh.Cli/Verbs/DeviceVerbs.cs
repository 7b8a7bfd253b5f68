using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>devices list, show, rename, revoke, forget: whom this device trusts (docs/trust.md).</summary>
internal static class DeviceVerbs
{
    private const int FingerprintShown = 19; // four groups of four digits

    public static Command All(GlobalOptions global) => new("devices", "Whom this device trusts: look at it, and take it back (docs/trust.md).")
    {
        global.Verb("list", "List the devices of the mesh and those that are revoked: who admitted them, when, and what they may do here.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            List(session, await client.GetAsync("v1/devices", ControlJson.Default.IReadOnlyListDeviceView, cancel).ConfigureAwait(false));
            return 0;
        }),
        Show(global),
        PeerVerbs.Rename(global),
        HistoryVerb.Create(global),
        Revoke(global),
        RotateKeyVerb.Create(global),
        ConfigVerb.AutoConnect(global),
        PeerVerbs.Forget(global),
    };

    private static Command Show(GlobalOptions global)
    {
        Argument<string> peer = new("PEER") { Description = "Name, index or id prefix; an id prefix of a revoked device." };
        return global.Verb("show", "Show one device with its whole fingerprint.", [peer], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            Show(session, await client.GetAsync($"v1/device?peer={Uri.EscapeDataString(parsed.GetValue(peer)!)}", ControlJson.Default.DeviceView, cancel).ConfigureAwait(false));
            return 0;
        });
    }

    private static Command Revoke(GlobalOptions global)
    {
        var peer = new Argument<string?>("PEER") { Description = "Name, index or id prefix; also the id prefix of a device that is forgotten here.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Every other device." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask (with --all)." };
        const string About = "Put a device out for the whole mesh: its grants, connections and running programs end here and on every device that hears of it.";
        return global.Verb("revoke", About, [peer, all, yes], async (session, parsed, cancel) =>
        {
            string? name = parsed.GetValue(peer);
            if (parsed.GetValue(all) == (name is not null))
            {
                throw new MeshException(CliErrors.Usage, "either a device or --all is needed", "for example: agentmesh devices revoke phone");
            }

            if (name is null)
            {
                Confirmation.Need(session, "Every other device is put out, for the whole mesh; each has to be paired again to come back.", parsed.GetValue(yes));
            }

            using var client = session.Connect();
            RevokedView done = await client.PostAsync(
                "v1/devices/revoke", new RevokeRequest(name, name is null), ControlJson.Default.RevokeRequest, ControlJson.Default.RevokedView, cancel).ConfigureAwait(false);
            Tell(session, done);
            return 0;
        });
    }

    private static void Tell(Session session, RevokedView done)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(done, ControlJson.Default.RevokedView);
            return;
        }

        foreach (RevokedDeviceView gone in done.Devices)
        {
            string[] parts =
            [
                gone.Grants.Count > 0 ? $"grants taken back: {string.Join(' ', gone.Grants)}" : "it had no grants here",
                gone.WasConnected ? "connection closed" : "it was not connected",
                gone.EndedJobs.Count > 0 ? $"{gone.EndedJobs.Count} of its jobs ended here" : "nothing of it ran here",
            ];
            session.Terminal.Out.WriteLine($"{gone.Name} ({gone.Id[..12]}) is revoked: {string.Join("; ", parts)}");
        }

        if (done.Devices.Count == 0)
        {
            session.Terminal.Out.WriteLine("there is no other device");
        }

        if (done.Told.Count > 0)
        {
            session.Terminal.Out.WriteLine($"told: {string.Join(", ", done.Told)}");
        }

        if (done.NotYetTold.Count > 0)
        {
            session.Terminal.Note($"not told yet, because they are away: {string.Join(", ", done.NotYetTold)}; they are as soon as they are linked with a device that knows");
        }
    }

    private static void List(Session session, IReadOnlyList<DeviceView> all)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(all, ControlJson.Default.IReadOnlyListDeviceView);
            return;
        }

        session.Terminal.Table(
            ["NAME", "ID", "FINGERPRINT", "ADMITTED BY", "ADMITTED", "STATE", "LAST SEEN", "GRANTS HERE"],
            all.Select(device => (IReadOnlyList<string>)
            [
                device.Name + (device.IsLocal ? " (this device)" : ""),
                device.Id[..12],
                device.Fingerprint.Length > FingerprintShown ? device.Fingerprint[..FingerprintShown] : "-",
                device.AdmittedBy ?? "-",
                Time(device.AdmittedAt),
                device.RevokedBy is { } by ? $"revoked by {by}" : device.State,
                device.IsLocal || device.State == "connected" ? "now" : device.LastSeen is { } seen ? Durations.Age(TimeProvider.System.GetUtcNow() - seen) + " ago" : "never",
                device.Grants.Count == 0 ? "-" : string.Join(' ', device.Grants),
            ]));
        if (all.Any(device => device is { State: "forked", IsLocal: true }))
        {
            session.Terminal.Note("AM0176: another key, which is not here, claims to speak for this device; 'agentmesh doctor' says what to do");
        }

        foreach (string by in all.Where(device => device.State == "introduced").Select(device => device.AdmittedBy).OfType<string>().Distinct())
        {
            session.Terminal.Note($"{by} may not introduce devices here; to let it: agentmesh grant {by} introduce");
        }
    }

    private static void Show(Session session, DeviceView device)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(device, ControlJson.Default.DeviceView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine($"name         {device.Name}{(device.IsLocal ? " (this device)" : "")}");
        to.WriteLine($"id           {device.Id}");
        to.WriteLine($"fingerprint  {device.Fingerprint}");
        if (device.KeySince is not null)
        {
            to.WriteLine($"key since    {Time(device.KeySince)}");
        }

        if (device.AdmittedBy is { } by)
        {
            to.WriteLine($"admitted     by {by}, {Time(device.AdmittedAt)}");
        }

        if (device.Introduced.Count > 0)
        {
            to.WriteLine($"introduced   {string.Join(", ", device.Introduced)}");
        }

        to.WriteLine($"state        {device.State}{(device.RevokedBy is { } who ? $" by {who}, {Time(device.RevokedAt)}" : "")}");
        foreach (KeyClaimView claim in device.Claims)
        {
            to.WriteLine($"claimed by   {claim.Fingerprint}, {Time(claim.At)}");
        }

        to.WriteLine($"last seen    {(device.LastSeen is { } seen ? Time(seen) : "never")}");
        to.WriteLine($"grants here  {(device.Grants.Count == 0 ? "none" : string.Join(' ', device.Grants))}");
    }

    private static string Time(DateTimeOffset? at) => at?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-";
}
