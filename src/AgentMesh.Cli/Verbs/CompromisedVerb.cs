using System.CommandLine;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>compromised: gives the key of this device up (docs/trust.md).</summary>
internal static class CompromisedVerb
{
    public static Command Create(GlobalOptions global)
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        const string About = "This device's key may be in other hands: put this device out of its mesh everywhere, end every connection and program here, destroy the key and stop. The next 'up' makes a new identity.";
        return global.Verb("compromised", About, [yes], async (session, parsed, cancel) =>
        {
            Confirmation.Need(
                session,
                "This device gives its key up: every other device puts it out, all connections and programs here end, its jobs and schedules end, and it has to be paired again under a new identity.",
                parsed.GetValue(yes));
            Node.Settings.NodeSettings settings = session.Settings();
            using var client = session.Connect();
            CompromisedView done = await client.PostAsync("v1/compromised", ControlJson.Default.CompromisedView, cancel).ConfigureAwait(false);
            await DetachedNode.WaitUntilStopped(settings, cancel).ConfigureAwait(false);
            session.Terminal.Answer(done, ControlJson.Default.CompromisedView, Words(done));
            if (done.Silent.Count > 0)
            {
                session.Terminal.Note($"not acknowledged: {string.Join(", ", done.Silent)}; on each of them: agentmesh devices revoke {done.Id}");
            }

            session.Terminal.Hint("'agentmesh up' starts with a new identity; its old data is kept, without the key, in " + done.OldData);
            return 0;
        });
    }

    private static string Words(CompromisedView done) =>
        $"the key of {done.Name} ({done.Id[..12]}) is destroyed and the node has stopped\n"
        + $"put this device out: {(done.Acknowledged.Count > 0 ? string.Join(", ", done.Acknowledged) : "nobody yet")}\n"
        + $"jobs of others that ended here: {done.EndedJobs.Count}";
}
