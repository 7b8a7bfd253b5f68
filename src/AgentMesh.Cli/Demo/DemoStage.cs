using System.Text.Json;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Demo;

/// <summary>The nodes of the demo, and how it acts on them and looks at them: through the command line, as a user would.</summary>
internal sealed class DemoStage(DemoReport report, string directory)
{
    public DemoReport Report => report;

    /// <summary>Everything the demo writes is below it.</summary>
    public string Directory => directory;

    public DemoNode Laptop { get; } = new("laptop", Path.Combine(directory, "laptop"));

    public DemoNode Gpu { get; } = new("gpu-box", Path.Combine(directory, "gpu-box"));

    public DemoNode Lab { get; } = new("lab", Path.Combine(directory, "lab"));

    public IEnumerable<DemoNode> All => [Laptop, Gpu, Lab];

    /// <summary>Nodes of single parts; they are ended with the others.</summary>
    public List<DemoNode> Further { get; } = [];

    public async Task<Answer> Show(DemoNode node, params string[] words)
    {
        Report.Typed(node.Name, string.Join(' ', words.Select(word => word.Any(c => " ;&$\"'".Contains(c, StringComparison.Ordinal)) ? $"'{word}'" : word)));
        Answer answer = await node.AgentMesh(words).ConfigureAwait(false);
        Report.Said(answer.Out + answer.Error);
        return answer;
    }

    public async Task<JobView?> Ended(string job)
    {
        JobView? view = null;
        await WaitFor(async () =>
        {
            view = Json<JobView>(await Laptop.AgentMesh("--json", "job", "show", job).ConfigureAwait(false), ControlJson.Default.JobView);
            return view is { State: "completed" or "failed" or "paused" or "cancelled" } ? "yes" : null;
        }).ConfigureAwait(false);
        return view;
    }

    public static async Task<string> AddressOf(DemoNode node) =>
        Json<StatusView>(await node.AgentMesh("--json", "status").ConfigureAwait(false), ControlJson.Default.StatusView)?.Addresses[0] ?? "";

    public static async Task<int> MembersOf(DemoNode node) =>
        Json<StatusView>(await node.AgentMesh("--json", "status").ConfigureAwait(false), ControlJson.Default.StatusView)?.Members.Count(member => member is { Status: "up", Reachable: true }) ?? 0;

    public static T? Json<T>(Answer answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return answer.Code == 0 ? JsonSerializer.Deserialize(answer.Out, type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Asks until there is an answer, at most 20 s where no other limit is given; null then.</summary>
    public static async Task<string?> WaitFor(Func<Task<string?>> ask, TimeSpan? limit = null)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < (limit ?? TimeSpan.FromSeconds(20)))
        {
            if (await ask().ConfigureAwait(false) is { } answer)
            {
                return answer;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
        }

        return null;
    }
}
