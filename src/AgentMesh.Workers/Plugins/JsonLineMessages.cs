using System.Text.Json.Serialization;

namespace AgentMesh.Workers.Plugins;

/// <summary>One line to the program. <paramref name="Id"/> grows by one; answers may come in any order.</summary>
internal sealed record PluginRequest(long Id, string Command, string Arguments, string Caller, string CallerName, DateTimeOffset? Deadline);

/// <summary>One line from the program: a result, or an error with an optional next step.</summary>
internal sealed record PluginAnswer(long Id, string? Result, int ExitCode, string? Error, string? Next);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PluginRequest))]
[JsonSerializable(typeof(PluginAnswer))]
internal sealed partial class PluginJson : JsonSerializerContext;
