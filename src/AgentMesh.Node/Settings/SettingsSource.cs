namespace AgentMesh.Node.Settings;

/// <summary>Where settings come from beside <c>reference.conf</c>; tests give their own environment.</summary>
/// <param name="ConfigFile">The file of <c>--config</c>; null looks for agentmesh.conf, then peer_config.json, in the data directory.</param>
/// <param name="Options">HOCON paths below <c>agentmesh</c> and values from the command line.</param>
public sealed record SettingsSource(
    string? ConfigFile,
    string? DataDirectory,
    IReadOnlyDictionary<string, string> Options,
    Func<string, string?> Environment)
{
    public static SettingsSource OfProcess(string? configFile = null, string? dataDirectory = null, IReadOnlyDictionary<string, string>? options = null) =>
        new(configFile, dataDirectory, options ?? new Dictionary<string, string>(StringComparer.Ordinal), System.Environment.GetEnvironmentVariable);
}
