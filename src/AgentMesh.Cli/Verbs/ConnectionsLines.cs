using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Who connects with whom, for people.</summary>
internal static class ConnectionsLines
{
    public static string Of(ConnectionsView view)
    {
        string incoming = view.Incoming switch
        {
            "all" => "devices of the mesh and invited ones may connect",
            "known" => "devices of the mesh may connect, nobody new",
            _ => "nobody may connect to this device",
        };
        string dials = view.AutoConnect ? "it connects to them by itself" : "it connects to none by itself";
        string but = view.Exceptions.Count > 0 ? $", {(view.AutoConnect ? "but not to" : "but to")} {string.Join(", ", view.Exceptions)}" : "";
        return $"{incoming}; {dials}{but}{Rate("sends", view.BytesPerSecondUp)}{Rate("receives", view.BytesPerSecondDown)}";
    }

    private static string Rate(string does, long bytesPerSecond) =>
        bytesPerSecond > 0 ? string.Create(CultureInfo.InvariantCulture, $"; it {does} {bytesPerSecond / 1024.0:0.#} KiB/s at most") : "";
}
