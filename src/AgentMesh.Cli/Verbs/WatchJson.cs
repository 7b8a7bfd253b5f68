using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentMesh.Cli.Verbs;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(WatchedJob))]
internal sealed partial class WatchJson : JsonSerializerContext;
