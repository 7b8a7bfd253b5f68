using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentMesh.Cli.Scripts;

/// <summary>The last line of <c>script --json</c>.</summary>
/// <param name="Code">The exit code of the first line that failed.</param>
public sealed record ScriptSummary(int Code, IReadOnlyList<ScriptStep> Steps);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ScriptSummary))]
internal sealed partial class ScriptJson : JsonSerializerContext;
