using System.Text;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.Node.Settings;

/// <summary>
/// KAI NetworkPeer's <c>peer_config.json</c> as AgentMesh settings: <c>listenPort</c>, <c>peers: [{host, port}]</c> and
/// <c>commands: {alias: "text"}</c> stand at the root there. <c>autoListen</c> and <c>interactive</c> are accepted and have no effect,
/// because a node always listens and the REPL is a verb of its own.
/// </summary>
internal static class PeerConfigFile
{
    private static readonly string[] OwnKeys = ["listenPort", "autoListen", "interactive", "peers", "commands"];

    public static Config Translate(Config file)
    {
        if (file.IsEmpty || file.HasPath("agentmesh") || !file.Root.IsObject() || !file.Root.GetObject().Items.Keys.Any(key => OwnKeys.Contains(key, StringComparer.Ordinal)))
        {
            return file;
        }

        Dictionary<string, HoconValue> items = file.Root.GetObject().Items;
        var text = new StringBuilder("agentmesh {\n");
        if (items.TryGetValue("listenPort", out HoconValue? port))
        {
            text.Append("listen.port = ").Append(port.GetString()).Append('\n');
        }

        if (items.TryGetValue("peers", out HoconValue? peers))
        {
            text.Append("peers = ").Append(peers).Append('\n');
        }

        if (items.TryGetValue("commands", out HoconValue? commands))
        {
            text.Append("commands ").Append(commands).Append('\n');
        }

        foreach ((string key, HoconValue value) in items.Where(item => !OwnKeys.Contains(item.Key, StringComparer.Ordinal)))
        {
            // Kept, so that the check of unknown keys can name it.
            text.Append('"').Append(key).Append("\" = ").Append(value).Append('\n');
        }

        return ConfigurationFactory.ParseString(text.Append('}').ToString());
    }
}
