using AgentMesh.Node.Links;

namespace AgentMesh.Node.Settings;

/// <summary>The settings that can be changed while the node runs.</summary>
internal static class ConnectionsReader
{
    public const string Incoming = "link.incoming";
    public const string AutoConnect = "link.auto-connect";
    public const string AutoConnectDevices = "link.auto-connect-devices";
    public const string Up = "bandwidth.up";
    public const string Down = "bandwidth.down";

    /// <summary>Exceptions that are kept at most.</summary>
    public const int DevicesMax = 1_000;

    private const long RateMin = 16 * 1024;

    public static ConnectionsSettings Read(SettingsReader read) => new(
        Enum.Parse<Incoming>(read.OneOf(Incoming, "all", "known", "none"), ignoreCase: true),
        read.Switch(AutoConnect),
        Devices(read),
        Rate(read, Up),
        Rate(read, Down));

    private static long Rate(SettingsReader read, string key) =>
        read.Size(key) is var rate && rate is 0 or >= RateMin ? rate : throw read.Wrong(key, read.Text(key), "0 for no limit, or at least 16KiB (a second),");

    private static Dictionary<string, bool> Devices(SettingsReader read)
    {
        IReadOnlyDictionary<string, string> given = read.Map(AutoConnectDevices);
        return given.Count > DevicesMax
            ? throw read.Wrong(AutoConnectDevices, $"{given.Count} devices", $"{DevicesMax} devices at most")
            : given.ToDictionary(
                each => each.Key,
                each => each.Value.ToLowerInvariant() switch
                {
                    "on" or "true" or "yes" => true,
                    "off" or "false" or "no" => false,
                    _ => throw read.Wrong($"{AutoConnectDevices}.{each.Key}", each.Value, "on or off"),
                },
                StringComparer.OrdinalIgnoreCase);
    }
}
