using AgentMesh.Node.Control;
using Soak.Nodes;

namespace Soak.Checks;

/// <summary>The mesh after the faults: one cluster, and nothing left over.</summary>
internal sealed class MeshChecks(IReadOnlyList<SoakNode> nodes, string tag)
{
    private static readonly TimeSpan TogetherWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CleanWithin = TimeSpan.FromSeconds(30);

    public async Task TogetherAsync(Board board)
    {
        foreach (SoakNode node in nodes)
        {
            string seen = "";
            bool together = await EventuallyAsync(TogetherWithin, async () =>
            {
                StatusView status = await node.StatusAsync();
                seen = string.Join(", ", status.Members.Select(member => $"{member.Name} {member.Status}{(member.Reachable ? "" : " unreachable")}"));
                return status.Members.Count == nodes.Count && status.Members.All(member => member is { Status: "up", Reachable: true });
            });
            board.Check("every node is a member of one cluster of five again", together, () => $"{node.Name} sees {seen}");
        }
    }

    public async Task CleanAsync(Board board)
    {
        foreach (SoakNode node in nodes)
        {
            string found = "";
            bool clean = await EventuallyAsync(CleanWithin, async () =>
            {
                int running = (await node.StatusAsync()).AttemptsRunning;
                string[] spools = Entries(Path.Combine(node.Data, "spool")), ledger = Entries(Path.Combine(node.Data, "running"));
                found = $"{running} attempts running, {spools.Length} spools ({string.Join(", ", spools.Take(3))}), {ledger.Length} programs in the ledger";
                return running + spools.Length + ledger.Length == 0;
            });
            board.Check("no attempt and no spool is left over", clean, () => $"{node.Name}: {found}");
            int zombies = node.Process is { } process ? ProcessFacts.Zombies(process) : 0;
            board.Check("no zombie process", zombies == 0, () => $"{node.Name}: {zombies}");
        }

        IReadOnlyList<string> programs = [];
        bool none = await EventuallyAsync(CleanWithin, () =>
        {
            programs = [.. nodes.SelectMany(node => ProcessFacts.Find(Path.Combine(node.Data, "work"), tag)).Distinct(StringComparer.Ordinal)];
            return Task.FromResult(programs.Count == 0);
        });
        board.Check("no program is left over", none, () => string.Join("; ", programs));
    }

    public static async Task<bool> EventuallyAsync(TimeSpan within, Func<Task<bool>> condition)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return true;
                }
            }
            catch (Exception error) when (error is CodedException or LostException or TimeoutException)
            {
                // Asked again.
            }

            if (TimeProvider.System.GetElapsedTime(began) >= within)
            {
                return false;
            }

            await Task.Delay(200);
        }
    }

    private static string[] Entries(string directory) => Directory.Exists(directory) ? [.. Directory.GetFileSystemEntries(directory).Select(entry => Path.GetFileName(entry))] : [];
}
