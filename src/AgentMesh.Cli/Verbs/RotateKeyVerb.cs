using System.CommandLine;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>devices rotate-key: another key for this device, which stays what it is (docs/trust.md).</summary>
internal static class RotateKeyVerb
{
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public static Command Create(GlobalOptions global)
    {
        var alone = new Option<bool>("--alone") { Description = "Also when no other device can be told first; those that have not heard have to be paired again." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask (with --alone)." };
        const string About = "Give this device another key. Its id, name, grants, jobs and history stay; the key before stops working and is destroyed. The node starts again, programs go on.";
        return global.Verb("rotate-key", About, [alone, yes], async (session, parsed, cancel) =>
        {
            bool isAlone = parsed.GetValue(alone);
            if (isAlone)
            {
                Confirmation.Need(session, "Devices that do not hear of the new key take no connection of this device any more; each of them has to be paired again.", parsed.GetValue(yes));
            }

            using var client = session.Connect();
            RotatedView done = await client.PostAsync(
                "v1/devices/rotate-key", new RotateKeyRequest(isAlone), ControlJson.Default.RotateKeyRequest, ControlJson.Default.RotatedView, cancel).ConfigureAwait(false);
            await WaitUntilBack(session, done, cancel).ConfigureAwait(false);
            session.Terminal.Answer(done, ControlJson.Default.RotatedView, Words(done));
            if (done.NotYetTold.Count > 0)
            {
                session.Terminal.Note(done.Told.Count > 0
                    ? $"not told yet: {string.Join(", ", done.NotYetTold)}; they are as soon as they are linked with {(done.Told.Count == 1 ? done.Told[0] : "one of the others")}"
                    : $"to be paired again: {string.Join(", ", done.NotYetTold)}");
            }

            return 0;
        });
    }

    private static string Words(RotatedView done) =>
        $"{done.Name} ({done.Id[..12]}) has a new key; its fingerprint is\n{done.Fingerprint}\n"
        + $"told: {(done.Told.Count > 0 ? string.Join(", ", done.Told) : "nobody")}";

    private static async Task WaitUntilBack(Session session, RotatedView done, CancellationToken cancel)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = session.Connect();
                DeviceView self = await client.GetAsync($"v1/device?peer={done.Id}", ControlJson.Default.DeviceView, cancel).ConfigureAwait(false);
                if (self.Fingerprint == done.Fingerprint)
                {
                    return;
                }
            }
            catch (MeshException) when (TimeProvider.System.GetElapsedTime(began) < BackWithin)
            {
                // It is on its way.
            }

            if (TimeProvider.System.GetElapsedTime(began) > BackWithin)
            {
                throw new MeshException(CliErrors.TimedOut, $"the node has its new key, and did not start again within {BackWithin.TotalSeconds} s", "look into its log, and start it with 'agentmesh up'");
            }

            await Task.Delay(Poll, TimeProvider.System, cancel).ConfigureAwait(false);
        }
    }
}
