using System.CommandLine;

namespace AgentMesh.Cli.Verbs;

/// <summary>What a job asks for, the same for run, map and cron add.</summary>
internal sealed class NeedsOptions
{
    private readonly Option<string[]> _resources = new("--resource") { Description = "What it takes on its device while it runs: gpu=1, mem=8G, cpu=0.5; may be repeated (docs/placement.md)." };
    private readonly Option<int?> _priority = new("--priority") { Description = "-10 to 10 (default 0); the higher goes first." };
    private readonly Option<string?> _group = new("--group") { Description = "A group, whose limit counts (agentmesh group set NAME --max N)." };

    public Symbol[] All => [_resources, _priority, _group];

    public IReadOnlyList<string>? Resources(ParseResult parsed) => parsed.GetValue(_resources) is { Length: > 0 } given ? given : null;

    public int? Priority(ParseResult parsed) => parsed.GetValue(_priority);

    public string? Group(ParseResult parsed) => parsed.GetValue(_group);
}
