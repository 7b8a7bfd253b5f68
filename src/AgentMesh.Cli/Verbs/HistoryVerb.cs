using System.CommandLine;
using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>devices history: past and present connections (docs/trust.md).</summary>
internal static class HistoryVerb
{
    public static Command Create(GlobalOptions global)
    {
        var peer = new Argument<string?>("PEER") { Description = "Name, index or id prefix; everybody without.", Arity = ArgumentArity.ZeroOrOne };
        var limit = new Option<int>("--limit") { Description = "No more than so many, 1 to 1000.", DefaultValueFactory = _ => 30 };
        return global.Verb("history", "Connections with other devices, newest first: when, for how long, by which paths, and why they ended.", [peer, limit], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string query = $"v1/history?limit={parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)}" + (parsed.GetValue(peer) is { } name ? $"&peer={Uri.EscapeDataString(name)}" : "");
            IReadOnlyList<ConnectionView> all = await client.GetAsync(query, ControlJson.Default.IReadOnlyListConnectionView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(all, ControlJson.Default.IReadOnlyListConnectionView);
                return 0;
            }

            session.Terminal.Table(["DEVICE", "OPENED", "FOR", "BY", "PATHS", "ENDED"], all.Select(each => (IReadOnlyList<string>)
            [
                each.Name,
                each.OpenedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                each.Seconds is { } seconds ? Durations.Age(TimeSpan.FromSeconds(seconds)) : "-",
                each.OpenedHere ? "this device" : each.Name,
                string.Join(", ", each.Paths),
                each.State == "open" ? "-" : each.Why ?? "the node of this device ended",
            ]));
            return 0;
        });
    }
}
