using System.CommandLine;

namespace AgentMesh.Cli.Verbs;

/// <summary>--notify and --notify-on, the same for run, lines, map, workflow run and cron add.</summary>
internal sealed class NotifyOptions
{
    private readonly Option<string?> _url;
    private readonly Option<string?> _on;

    /// <param name="what">Whose ends are told: "each run", "the job".</param>
    public NotifyOptions(string what)
    {
        _url = new Option<string?>("--notify") { Description = $"Tell this URL of {what} when it is over, by an HTTP POST with JSON (docs/cron.md)." };
        _on = new Option<string?>("--notify-on") { Description = "Of which ends: any (default), failure, success." };
        _on.AcceptOnlyFromAmong("any", "failure", "success");
    }

    public Symbol[] All => [_url, _on];

    public string? Url(ParseResult parsed) => parsed.GetValue(_url);

    public string? On(ParseResult parsed) => parsed.GetValue(_on);
}
