using System.CommandLine;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.Hosting;
using AgentMesh.Node.Settings;
using AgentMesh.Workers.Shims;

namespace AgentMesh.Cli.Verbs;

/// <summary>up, down, config: the node of this device.</summary>
internal static class NodeVerbs
{
    public static IEnumerable<Command> All(GlobalOptions global)
    {
        yield return Up(global);
        var endPrograms = new Option<bool>("--end-programs") { Description = "End running programs too; otherwise they go on, and the next 'up' takes them over." };
        yield return global.Verb("down", "Stop this device's node. Accepted jobs stay in the journal.", [endPrograms], async (session, parsed, cancel) =>
        {
            NodeSettings settings = session.Settings();
            using var client = session.Connect();
            await client.ShutdownAsync(parsed.GetValue(endPrograms), cancel).ConfigureAwait(false);
            await DetachedNode.WaitUntilStopped(settings, cancel).ConfigureAwait(false);
            if (LivingPrograms.Count(Path.Combine(settings.DataDirectory, "spool")) is > 0 and var programs)
            {
                session.Terminal.Note(programs == 1
                    ? "1 program goes on; 'agentmesh up' takes it over"
                    : $"{programs} programs go on; 'agentmesh up' takes them over");
            }

            return 0;
        });
        yield return ConfigVerb.Create(global);
    }

    private static Command Up(GlobalOptions global)
    {
        var detach = new Option<bool>("--detach") { Description = "Return when the node is ready; its log goes to node.log in the data directory." };
        var name = new Option<string?>("--name") { Description = "The device's name." };
        var port = new Option<int?>("--port") { Description = "The UDP port; 0 takes any free one." };
        var host = new Option<string[]>("--listen") { Description = "Local addresses to listen on.", AllowMultipleArgumentsPerToken = true };
        return global.Verb("up", "Start this device's node.", [detach, name, port, host], async (session, parsed, cancel) =>
        {
            var options = new Dictionary<string, string>(StringComparer.Ordinal);
            if (parsed.GetValue(name) is { } given)
            {
                options["device-name"] = given;
            }

            if (parsed.GetValue(port) is { } number)
            {
                options["listen.port"] = number.ToString(CultureInfo.InvariantCulture);
            }

            if (parsed.GetValue(host) is { Length: > 0 } hosts)
            {
                options["listen.hosts"] = SettingsLoader.ListOf(hosts);
            }

            Session with = session with { Options = options };
            return parsed.GetValue(detach)
                ? await DetachedNode.Start(with, cancel).ConfigureAwait(false)
                : await Foreground(with, cancel).ConfigureAwait(false);
        });
    }

    private static async Task<int> Foreground(Session session, CancellationToken cancel)
    {
        NodeSettings settings = session.Settings();
        await NodeHost.RunAsync(
            settings,
            session.Source(),
            TimeProvider.System,
            node => session.Terminal.Note($"{settings.DeviceName} ({node.LocalId}) is up on {string.Join(", ", node.Addresses)}; {node.Durability}; data in {settings.DataDirectory}"),
            cancel).ConfigureAwait(false);
        return 0;
    }
}
