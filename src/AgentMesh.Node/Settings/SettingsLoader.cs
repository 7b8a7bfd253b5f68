using System.Globalization;
using System.Net;
using AgentMesh.Errors;
using AgentMesh.Mesh.Retention;
using AgentMesh.Node.Webhooks;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.Node.Settings;

/// <summary>reference.conf, file, environment and options into one checked <see cref="NodeSettings"/>.</summary>
public static class SettingsLoader
{
    private static readonly (string Variable, string Path)[] EnvironmentNames =
    [
        ("AGENTMESH_DEVICE_NAME", "device-name"),
        ("AGENTMESH_PORT", "listen.port"),
        ("AGENTMESH_ANNOUNCE_HOST", "announce.host"),
        ("AGENTMESH_ANNOUNCE_PORT", "announce.port"),
        ("AGENTMESH_GATEWAY", "gateway.mode"),
        ("AGENTMESH_LOG_LEVEL", "log.level"),
    ];

    public static Config Reference() => ConfigurationFactory.FromResource("reference.conf", typeof(SettingsLoader).Assembly);

    /// <exception cref="MeshException">AM0201-AM0204: file, place and what is wrong with it.</exception>
    public static NodeSettings Load(SettingsSource source) => Bind(Merge(source, out string dataDirectory, out string origin), dataDirectory, origin) with
    {
        ConfigFile = FileOf(source) is { } file ? Path.GetFullPath(file) : null,
    };

    /// <summary>The data directory as options and environment name it: where a configuration file is looked for, which may then name another.</summary>
    public static string DataDirectoryOf(SettingsSource source) =>
        Path.GetFullPath(FirstOf(source.DataDirectory, source.Environment("AGENTMESH_DATA_DIR")) ?? DefaultDataDirectory(source.Environment));

    /// <summary>The merged configuration, as <c>agentmesh config</c> prints it.</summary>
    public static Config Merge(SettingsSource source, out string dataDirectory, out string origin)
    {
        Config reference = Reference();
        dataDirectory = DataDirectoryOf(source);
        string? file = FileOf(source);
        origin = file ?? "the settings";
        Config merged = reference;
        if (file is not null)
        {
            Config user = PeerConfigFile.Translate(Parse(ReadFile(file), file));
            KnownKeys.Check(reference, user, file);
            merged = user.WithFallback(merged);
            string configured = user.GetString("agentmesh.data-dir", "");
            if (configured.Length > 0 && FirstOf(source.DataDirectory, source.Environment("AGENTMESH_DATA_DIR")) is null)
            {
                dataDirectory = Path.GetFullPath(configured);
            }
        }

        string changed = Path.Combine(dataDirectory, ChangedSettings.FileName);
        if (File.Exists(changed))
        {
            Config set = Parse(ReadFile(changed), changed);
            KnownKeys.Check(reference, set, changed);
            merged = set.WithFallback(merged);
            origin = file is null ? changed : $"{file} or {changed}";
        }

        foreach ((string variable, string path) in EnvironmentNames)
        {
            if (FirstOf(source.Environment(variable)) is { } value)
            {
                merged = Single(path, value).WithFallback(merged);
            }
        }

        foreach ((string path, string value) in source.Options)
        {
            Config option = Single(path, value);
            KnownKeys.Check(reference, option, "the command line");
            merged = option.WithFallback(merged);
        }

        return merged;
    }

    private static NodeSettings Bind(Config config, string dataDirectory, string origin)
    {
        var read = new SettingsReader(config, origin);
        int port = read.Integer("listen.port", 0, 65535);
        string announceHost = read.Text("announce.host");
        int announcePort = read.Integer("announce.port", 0, 65535);
        string name = read.Text("device-name");
        string socket = read.Text("control.socket");
        return new NodeSettings
        {
            DataDirectory = dataDirectory,
            DeviceName = name.Length > 0 ? read.DeviceName(name) : SettingsReader.CleanName(Dns.GetHostName()),
            Labels = read.Labels("labels"),
            Resources = read.Resources("device.resources"),
            Listen = [.. read.List("listen.hosts").Select(host => new IPEndPoint(read.Address("listen.hosts", host), port))],
            Udp = new UdpSettings(read.Switch("udp.offload"), (int)Math.Clamp(read.Size("udp.buffer"), 64 * 1024, 1024 * 1024 * 1024), ReachReader.Congestion(read), read.Switch("udp.ecn")),
            Security = new SecuritySettings(
                read.Time("security.key-rotation-interval") is var rotation && rotation >= TimeSpan.FromSeconds(5) && rotation <= TimeSpan.FromSeconds(120)
                    ? rotation
                    : throw read.Wrong("security.key-rotation-interval", read.Text("security.key-rotation-interval"), "5s to 120s"),
                read.Text("security.key-log") is { Length: > 0 } log ? Path.GetFullPath(log) : null),
            Announce = announceHost.Length > 0 ? new HostPort(announceHost, announcePort == 0 ? port : announcePort) : null,
            Peers = read.HostPorts("peers"),
            Beacons = [.. read.List("beacons").Select(text => read.Beacon("beacons", text))],
            BeaconRole = ReachReader.BeaconRole(read),
            Relay = new Reach.RelaySettings(Enum.Parse<Reach.RelayOffer>(read.OneOf("relay.offer", "auto", "on", "off"), ignoreCase: true), Math.Max(16 * 1024, read.Size("relay.rate"))),
            BeaconProxy = read.Proxy("beacon.proxy"),
            Gateway = ReachReader.Gateway(read),
            Stun = ReachReader.Stun(read),
            Turn = ReachReader.Turn(read),
            Aliases = read.Map("commands"),
            Link = new LinkSettings(
                read.Time("link.retry-min"),
                read.Time("link.retry-max"),
                read.Time("link.connect-timeout"),
                read.Time("link.keepalive"),
                read.Time("link.dead-after"),
                read.Time("link.refresh")),
            Connections = ConnectionsReader.Read(read),
            Dht = new DhtSettings(read.Switch("discovery.dht.enabled"), [.. read.List("discovery.dht.bootstrap").Select(text => read.Place("discovery.dht.bootstrap", text))]),
            Lan = new LanSettings(read.Switch("discovery.lan.enabled"), read.Integer("discovery.lan.port", 1, 65535), read.Time("discovery.lan.interval"), read.Switch("discovery.lan.mdns"), read.Switch("discovery.announce-name")),
            Invite = new InviteSettings(read.Time("invite.lifetime", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), "1s to 24h"), read.Integer("invite.open-max", 1, 10_000)),
            Jobs = new JobSettings(
                read.Integer("jobs.attempts", 1, 1000),
                read.Time("jobs.backoff-min"),
                read.Time("jobs.backoff-max"),
                read.Share("jobs.jitter"),
                read.OneOf("jobs.used-up", "paused", "failed") == "paused",
                read.Limit("jobs.queue-timeout"),
                read.Limit("jobs.attempt-timeout"),
                read.Limit("jobs.total-timeout"),
                read.Time("jobs.heartbeat-timeout"),
                read.Time("jobs.away-timeout"),
                read.Integer("jobs.running-max", 1, 100_000),
                read.Integer("jobs.queued-max", 0, 10_000_000))
            {
                InPool = read.JobHome(),
                Retained = new RetentionLimits(read.Integer("jobs.retained-max", 0, int.MaxValue) is > 0 and var most ? most : null, read.Limit("jobs.retained-for")),
            },
            Pool = read.Pool(),
            Output = new OutputSettings(read.Size("output.retained-max"), read.Size("output.job-max"), read.Size("output.spool-max"), read.Size("output.beside-commands")),
            Artifacts = new ArtifactSettings(read.Size("artifacts.retained-max"), read.Size("artifacts.size-max"), read.Limit("artifacts.retained-for"), read.Limit("artifacts.safe-for") ?? TimeSpan.Zero),
            CronFile = read.Text("cron.file") is { Length: > 0 } cronFile ? Path.GetFullPath(cronFile) : "",
            CronNotify = new CronNotifySettings(
                read.List("cron.notify.allow") is var allow && allow.FirstOrDefault(text => !NotifyAllow.TryParse(text, out _)) is { } bad ? throw read.Wrong("cron.notify.allow", bad, NotifyAllow.Rule) : allow,
                read.Switch("cron.notify.http"),
                read.Text("cron.notify.secret-file") is { Length: > 0 } secrets ? Path.GetFullPath(secrets) : ""),
            AuditRetainedBytesMax = read.Size("audit.retained-max"),
            Programs = new ProgramSettings(read.OneOf("workers.on-stop", "keep", "end") == "keep", read.Limit("workers.lease"), read.Time("workers.input-grace"), read.OneOf("workers.cgroups", "auto", "on", "off"), read.OneOf("workers.cgroup-limits", "off", "on") == "on"),
            DefaultGrants = read.Grants("grants.default"),
            CommandsNeedGrant = read.OneOf("grants.commands", "everyone", "granted") == "granted",
            ConfinesPrograms = read.OneOf("grants.confine", "on", "off") == "on",
            Introductions = read.OneOf("grants.introduce", "auto", "everyone", "granted") switch
            {
                "everyone" => Mesh.Registry.Introductions.Everyone,
                "granted" => Mesh.Registry.Introductions.Granted,
                _ => Mesh.Registry.Introductions.AsBegun,
            },
            Plugins = new PluginSettings(read.List("plugins.assemblies"), read.Lists("plugins.programs")),
            Limits = LimitsReader.Read(read),
            Cluster = new ClusterSettings(read.Time("cluster.unreachable-after"), read.Time("cluster.down-after")),
            ControlSocket = socket.Length > 0 ? Path.GetFullPath(socket) : Control.ControlSocketPath.For(dataDirectory),
            LogLevel = read.OneOf("log.level", "debug", "info", "warning", "error", "off"),
            Engine = config.GetConfig("akka") is { IsEmpty: false } akka ? akka.Root.AtKey("akka") : ConfigurationFactory.Empty,
        };
    }

    private static Config Parse(string text, string file)
    {
        try
        {
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new MeshException(NodeErrors.ConfigurationSyntax, $"{file}: {error.Message}", "correct the file and start again; nothing was changed", error);
        }
    }

    private static string ReadFile(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(NodeErrors.ConfigurationFileMissing, $"the configuration file {file} cannot be read: {error.Message}", "name another file with --config", error);
        }
    }

    private static string? FileOf(SettingsSource source) => source.ConfigFile ?? FindFile(DataDirectoryOf(source));

    private static string? FindFile(string dataDirectory) =>
        new[] { "agentmesh.conf", "peer_config.json" }.Select(name => Path.Combine(dataDirectory, name)).FirstOrDefault(File.Exists);

    private static string DefaultDataDirectory(Func<string, string?> environment)
    {
        string home = environment("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string data = FirstOf(environment("XDG_DATA_HOME")) ?? (OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(home, ".local", "share"));
        return Path.Combine(data, "agentmesh");
    }

    private static string? FirstOf(params string?[] values) => values.FirstOrDefault(value => !string.IsNullOrEmpty(value));

    // A list comes as HOCON; anything else is a text, whatever characters it holds.
    private static Config Single(string path, string value) =>
        ConfigurationFactory.ParseString(string.Create(CultureInfo.InvariantCulture, $"agentmesh.{path} = {(value.StartsWith('[') ? value : Quote(value))}"));

    /// <summary>A HOCON list of texts.</summary>
    public static string ListOf(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(Quote))}]";

    internal static string Quote(string value) =>
        "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal) + "\"";
}
