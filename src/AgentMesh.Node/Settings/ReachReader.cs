using System.Net;
using System.Text;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Stun;
using AgentMesh.Transport.Gateways;
using AgentMesh.Transport.Stun;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Settings;

/// <summary>Settings of paths, gateways and standard servers.</summary>
internal static class ReachReader
{
    private static readonly TimeSpan LifetimeMin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromDays(7);

    private const int ServersMax = 8;
    private const int TurnServersMax = 2;
    private const string TurnExample = "a list such as [{ url = \"turn:turn.example.org\", user = \"mesh\", password-file = \"/etc/agentmesh/turn\" }]";
    private static readonly TimeSpan StunIntervalMin = TimeSpan.FromSeconds(5);

    public static CongestionControl Congestion(SettingsReader read) =>
        read.OneOf("udp.congestion", "cubic", "bbr") == "bbr" ? CongestionControl.Bbr : CongestionControl.Cubic;

    public static BeaconRoleSettings? BeaconRole(SettingsReader read)
    {
        const string path = "beacon.serve.";
        IPEndPoint[] listen = [.. read.List(path + "listen").Select(text => IPEndPoint.TryParse(text, out IPEndPoint? at) ? at : throw read.Wrong(path + "listen", text, "ADDRESS:PORT, for example 0.0.0.0:14592,"))];
        var role = new BeaconRoleSettings(
            listen.Length is 1 or 2 && listen.DistinctBy(at => at.AddressFamily).Count() == listen.Length ? listen : throw read.Wrong(path + "listen", $"{listen.Length} addresses", "one address, or one of IPv4 and one of IPv6,"),
            read.OneOf(path + "https", "auto", "off") == "auto",
            read.OneOf(path + "admit", "all", "mesh") == "mesh",
            Math.Max(16 * 1024, read.Size(path + "rate")),
            read.Size(path + "total-rate"),
            read.Integer(path + "devices", 1, 1_000_000));
        return read.Switch(path + "enabled") ? role : null;
    }

    public static StunSettings Stun(SettingsReader read)
    {
        const string path = "stun.servers";
        StunServer[] servers = [.. read.List(path).Select(text => StunServer.TryParse(text, out StunServer? server) ? server : throw read.Wrong(path, text, "HOST or HOST:PORT, also with stun: before it,")).Distinct()];
        TimeSpan interval = read.Time("stun.interval");
        return servers.Length > ServersMax ? throw read.Wrong(path, $"{servers.Length} servers", $"{ServersMax} servers at most")
            : interval < StunIntervalMin ? throw read.Wrong("stun.interval", read.Text("stun.interval"), "at least 5s")
            : new StunSettings(servers, interval);
    }

    public static IReadOnlyList<TurnServerSettings> Turn(SettingsReader read)
    {
        const string path = "turn.servers";
        TurnServerSettings[] servers = [.. read.Objects(path, TurnExample).Select(Server)];
        return servers.Length > TurnServersMax ? throw read.Wrong(path, $"{servers.Length} servers", $"{TurnServersMax} servers at most") : servers;

        TurnServerSettings Server(IReadOnlyDictionary<string, string> given)
        {
            // A password would be shown by 'agentmesh config'.
            if (given.ContainsKey("password"))
            {
                throw read.Wrong(path, "(not shown: it holds a password)", "password-file or password-env instead of password");
            }

            if (given.Keys.FirstOrDefault(key => key is not ("url" or "user" or "password-file" or "password-env" or "ca-file")) is { } unknown)
            {
                throw read.Wrong(path, unknown, "one of url, user, password-file, password-env and ca-file");
            }

            string user = given.GetValueOrDefault("user", ""), file = given.GetValueOrDefault("password-file", ""), variable = given.GetValueOrDefault("password-env", ""), authorities = given.GetValueOrDefault("ca-file", "");
            return !TurnServer.TryParse(given.GetValueOrDefault("url", ""), out TurnServer? server) ? throw read.Wrong(path, given.GetValueOrDefault("url", ""), "a url such as turn:HOST:PORT, turn:HOST:PORT?transport=tcp or turns:HOST:PORT")
                : user.Length == 0 || Encoding.UTF8.GetByteCount(user) > StunCredentials.UsernameBytesMax ? throw read.Wrong(path, user, $"a user of 1 to {StunCredentials.UsernameBytesMax} bytes")
                : (file.Length > 0) == (variable.Length > 0) ? throw read.Wrong(path, server.ToString(), "one of password-file and password-env")
                : authorities.Length > 0 && server.Transport != TurnTransport.Tls ? throw read.Wrong(path, server.ToString(), "turns:HOST where there is a ca-file")
                : new TurnServerSettings(server with { CaFile = authorities.Length > 0 ? Path.GetFullPath(authorities) : null }, user, file.Length > 0 ? Path.GetFullPath(file) : null, variable.Length > 0 ? variable : null);
        }
    }

    public static GatewaySettings? Gateway(SettingsReader read)
    {
        bool isOn = read.OneOf("gateway.mode", "auto", "off") == "auto";
        string[] protocols = [.. read.List("gateway.protocols").Select(name => name.ToLowerInvariant()).Distinct()];
        if (Array.Find(protocols, name => !GatewaySettings.AllProtocols.Contains(name)) is { } unknown)
        {
            throw read.Wrong("gateway.protocols", unknown, $"one of {string.Join(", ", GatewaySettings.AllProtocols)}");
        }

        TimeSpan lifetime = read.Time("gateway.lifetime"), check = read.Time("gateway.check");
        if (lifetime < LifetimeMin || lifetime > LifetimeMax)
        {
            throw read.Wrong("gateway.lifetime", read.Text("gateway.lifetime"), "a duration from 10s to 7d");
        }

        return isOn && protocols.Length > 0 ? new GatewaySettings(protocols, lifetime, check >= TimeSpan.FromSeconds(1) ? check : throw read.Wrong("gateway.check", read.Text("gateway.check"), "at least 1s")) : null;
    }
}
