using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>group list, show, set, pause, resume, rm.</summary>
internal static class GroupVerbs
{
    public static Command All(GlobalOptions global)
    {
        var group = new Command("group", "How many jobs of a group run at the same time (docs/placement.md).") { Set(global) };
        group.Subcommands.Add(global.Verb("list", "List the groups of this device.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            List(session, await client.GetAsync("v1/groups", ControlJson.Default.IReadOnlyListGroupView, cancel).ConfigureAwait(false));
            return 0;
        }));
        group.Subcommands.Add(Named(global, "show", "Show a group, the jobs that have their turn and how many wait.", async (session, client, named, cancel) =>
            Show(session, await client.GetAsync($"v1/group?{Query(named)}", ControlJson.Default.GroupView, cancel).ConfigureAwait(false))));
        group.Subcommands.Add(Named(global, "pause", "Let no further job of it begin; those that run go on.", (session, client, named, cancel) => SendAsync(session, client, named with { Paused = true }, cancel)));
        group.Subcommands.Add(Named(global, "resume", "Let its jobs begin again.", (session, client, named, cancel) => SendAsync(session, client, named with { Paused = false }, cancel)));
        group.Subcommands.Add(Named(global, "rm", "Forget its settings; its jobs go on without a limit.", async (session, client, named, cancel) =>
        {
            GroupRemovedView removed = await client.PostAsync($"v1/group/remove?{Query(named)}", ControlJson.Default.GroupRemovedView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(removed, ControlJson.Default.GroupRemovedView, $"{removed.Name} removed");
        }));
        return group;
    }

    private static Command Set(GlobalOptions global)
    {
        var name = NewName();
        var max = new Option<int?>("--max") { Description = "Jobs that run at the same time, 1 to 1000." };
        var noMax = new Option<bool>("--no-max") { Description = "Take the limit away." };
        var paused = new Option<bool>("--paused") { Description = "Let none begin until 'group resume'." };
        var home = NewHome();
        return global.Verb("set", "Make a group or change it: group set train --max 2.", [name, max, noMax, paused, home], async (session, parsed, cancel) =>
        {
            if (parsed.GetValue(max) is not null && parsed.GetValue(noMax))
            {
                throw new MeshException(CliErrors.Usage, "--max and --no-max exclude each other", "give one of them");
            }

            using var client = session.Connect();
            var request = new GroupRequest(parsed.GetValue(name)!, parsed.GetValue(max), parsed.GetValue(noMax), parsed.GetValue(paused) ? true : null, parsed.GetValue(home));
            await SendAsync(session, client, request, cancel).ConfigureAwait(false);
            return 0;
        });
    }

    private static Command Named(GlobalOptions global, string verb, string description, Func<Session, ControlClient, GroupRequest, CancellationToken, Task> run)
    {
        var name = NewName();
        var home = NewHome();
        return global.Verb(verb, description, [name, home], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            await run(session, client, new GroupRequest(parsed.GetValue(name)!, Home: parsed.GetValue(home)), cancel).ConfigureAwait(false);
            return 0;
        });
    }

    private static Argument<string> NewName() => new("NAME") { Description = "A group, as jobs name it with --group." };

    private static Option<string?> NewHome() => new("--home") { Description = "Whose jobs: a pool, or 'device'; the setting agentmesh.jobs.home when it is left out." };

    private static string Query(GroupRequest named) => $"name={Uri.EscapeDataString(named.Name)}" + (named.Home is { } home ? $"&home={Uri.EscapeDataString(home)}" : "");

    private static async Task SendAsync(Session session, ControlClient client, GroupRequest request, CancellationToken cancel)
    {
        GroupView group = await client.PostAsync("v1/groups", request, ControlJson.Default.GroupRequest, ControlJson.Default.GroupView, cancel).ConfigureAwait(false);
        session.Terminal.Answer(group, ControlJson.Default.GroupView, $"{group.Name}: {Limit(group)}, {group.Running} running, {group.Waiting} waiting");
    }

    private static void List(Session session, IReadOnlyList<GroupView> groups)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(groups, ControlJson.Default.IReadOnlyListGroupView);
            return;
        }

        session.Terminal.Table(
            ["NAME", "OF", "LIMIT", "RUNNING", "WAITING", "TURNS"],
            groups.Select(group => (IReadOnlyList<string>)[group.Name, group.Pool ?? "this device", Limit(group), Number(group.Running), Number(group.Waiting), Number(group.Granted)]));
    }

    private static void Show(Session session, GroupView group)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(group, ControlJson.Default.GroupView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine($"group     {group.Name}");
        to.WriteLine($"limit     {Limit(group)}");
        to.WriteLine($"running   {group.Running}{(group.Jobs.Count > 0 ? $": {string.Join(", ", group.Jobs)}" : "")}");
        to.WriteLine($"waiting   {group.Waiting}");
        to.WriteLine($"turns     {group.Granted}");
    }

    private static string Limit(GroupView group) =>
        (group.Max is { } max ? $"at most {Number(max)} at the same time" : "no limit") + (group.Paused ? ", paused" : "");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
