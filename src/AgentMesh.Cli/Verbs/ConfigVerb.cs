using System.CommandLine;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>config: the settings in force, and those that can be changed while the node runs.</summary>
internal static class ConfigVerb
{
    private const string Changeable =
        "link.incoming (all, known: only devices of the mesh, none), link.auto-connect (on, off), link.auto-connect-devices.NAME (on, off), bandwidth.up (a size such as 1MiB: what this device sends in a second; 0 is no limit), bandwidth.down (the same for what it receives)";

    public static Command Create(GlobalOptions global)
    {
        Command all = global.Verb("config", "Print the settings in force, with their defaults; 'config set' changes some while the node runs.", [], async (session, parsed, cancel) =>
        {
            if (session.On is not null)
            {
                using var client = session.Connect();
                session.Terminal.Out.WriteLine((await client.GetAsync("v1/config", ControlJson.Default.ConfigView, cancel).ConfigureAwait(false)).Text);
                return 0;
            }

            string text = SettingsLoader.Merge(session.Source(), out string data, out _).GetConfig("agentmesh").ToString(includeFallback: true);
            session.Terminal.Out.WriteLine($"# data directory: {data}");
            session.Terminal.Out.WriteLine(text);
            return 0;
        });
        var key = new Argument<string>("KEY") { Description = Changeable + "." };
        var value = new Argument<string>("VALUE");
        all.Add(global.Verb("set", "Change a setting of the running node, at once and for good (changed.conf in the data directory).", [key, value], async (session, parsed, cancel) =>
            await SetAsync(session, parsed.GetValue(key)!, parsed.GetValue(value), cancel).ConfigureAwait(false)));
        var unset = new Argument<string>("KEY") { Description = Changeable + "." };
        all.Add(global.Verb("unset", "Take a change back: the configuration file or the default counts again.", [unset], async (session, parsed, cancel) =>
            await SetAsync(session, parsed.GetValue(unset)!, null, cancel).ConfigureAwait(false)));
        return all;
    }

    /// <summary>devices auto-connect: the same for one device.</summary>
    public static Command AutoConnect(GlobalOptions global)
    {
        var peer = new Argument<string>("PEER") { Description = "Name, index or id prefix." };
        Argument<string> state = new Argument<string>("STATE") { Description = "on, off, or default: as agentmesh.link.auto-connect says." }.AcceptOnlyFromAmong("on", "off", "default");
        return global.Verb("auto-connect", "Whether this device dials another by itself. One that is not dialled may still connect here.", [peer, state], async (session, parsed, cancel) =>
            await SetAsync(session, $"link.auto-connect-devices.{parsed.GetValue(peer)}", parsed.GetValue(state) is var wanted && wanted == "default" ? null : wanted, cancel).ConfigureAwait(false));
    }

    private static async Task<int> SetAsync(Session session, string key, string? value, CancellationToken cancel)
    {
        using var client = session.Connect();
        SettingView now = await client.PostAsync("v1/config", new SetRequest(key, value), ControlJson.Default.SetRequest, ControlJson.Default.SettingView, cancel).ConfigureAwait(false);
        session.Terminal.Answer(now, ControlJson.Default.SettingView, $"{now.Key} = {now.Value}");
        return 0;
    }
}
