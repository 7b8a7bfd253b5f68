using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>What the options that every verb has say, and what follows from them.</summary>
internal sealed record Session(Terminal Terminal, string? DataDirectory, string? ConfigFile, TimeSpan? Timeout, IReadOnlyDictionary<string, string> Options)
{
    /// <summary>The device that is asked in place of this one (<c>--on</c>), as it was named; null for this one.</summary>
    public string? On { get; init; }

    /// <summary>A client of the node of this data directory, or by way of it of the device that <see cref="On"/> names.</summary>
    public ControlClient Connect()
    {
        NodeSettings settings = Settings();
        NodeDoor.WaitUntilOpen(settings.DataDirectory, settings.ControlSocket, Timeout);
        return new ControlClient(settings.ControlSocket, Timeout, On is null ? null : new FarDevice(On));
    }

    public NodeSettings Settings() => SettingsLoader.Load(Source());

    public SettingsSource Source() => SettingsSource.OfProcess(ConfigFile, DataDirectory, Options);

    public CommandRequest Limit(CommandRequest request) => request with { TimeoutMs = Timeout?.TotalMilliseconds };
}
