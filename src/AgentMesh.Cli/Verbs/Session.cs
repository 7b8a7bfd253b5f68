using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>What the options that every verb has say, and what follows from them.</summary>
internal sealed record Session(Terminal Terminal, string? DataDirectory, string? ConfigFile, TimeSpan? Timeout, IReadOnlyDictionary<string, string> Options)
{
    /// <summary>A client of the node of this data directory.</summary>
    public ControlClient Connect()
    {
        NodeSettings settings = Settings();
        NodeDoor.WaitUntilOpen(settings.DataDirectory, settings.ControlSocket, Timeout);
        return new ControlClient(settings.ControlSocket, Timeout);
    }

    public NodeSettings Settings() => SettingsLoader.Load(Source());

    public SettingsSource Source() => SettingsSource.OfProcess(ConfigFile, DataDirectory, Options);

    public CommandRequest Limit(CommandRequest request) => request with { TimeoutMs = Timeout?.TotalMilliseconds };
}
