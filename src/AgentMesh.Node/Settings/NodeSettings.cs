using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Mesh.Retention;
using AgentMesh.Node.Reach;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Transport.Gateways;
using AgentMesh.Transport.Stun;
using AgentMesh.Transport.Turn;
using AgentMesh.Workers.Limits;
using Akka.Configuration;

namespace AgentMesh.Node.Settings;

/// <summary>Everything a node can be told, read once at start. Defaults and units: <c>hocon/reference.conf</c>.</summary>
public sealed record NodeSettings
{
    public required string DataDirectory { get; init; }

    public required string DeviceName { get; init; }

    /// <summary>What this device has or is, for selectors.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>What this device has that jobs use up, in thousandths, beside what it finds itself.</summary>
    public required IReadOnlyDictionary<string, long> Resources { get; init; }

    public required IReadOnlyList<IPEndPoint> Listen { get; init; }

    public required UdpSettings Udp { get; init; }

    public required SecuritySettings Security { get; init; }

    public required HostPort? Announce { get; init; }

    public required IReadOnlyList<HostPort> Peers { get; init; }

    public required IReadOnlyList<BeaconAddress> Beacons { get; init; }

    /// <summary>Null where this node is no beacon beside.</summary>
    public BeaconRoleSettings? BeaconRole { get; init; }

    public RelaySettings Relay { get; init; } = new(RelayOffer.Auto, 4 * 1024 * 1024);

    /// <summary>As in <see cref="BeaconClientSettings.Proxy"/>. May hold a password.</summary>
    public string BeaconProxy { get; init; } = "";

    /// <summary>How a port is mapped at the gateway; null for not.</summary>
    public required GatewaySettings? Gateway { get; init; }

    public required StunSettings Stun { get; init; }

    public required IReadOnlyList<TurnServerSettings> Turn { get; init; }

    public required IReadOnlyDictionary<string, string> Aliases { get; init; }

    public required LinkSettings Link { get; init; }

    /// <summary>What can be changed while the node runs.</summary>
    public ConnectionsSettings Connections { get; init; } = new(Links.Incoming.All, true, new Dictionary<string, bool>(StringComparer.Ordinal), 0, 0);

    public required LanSettings Lan { get; init; }

    public required DhtSettings Dht { get; init; }

    public required InviteSettings Invite { get; init; }

    public required JobSettings Jobs { get; init; }

    public required OutputSettings Output { get; init; }

    public required ArtifactSettings Artifacts { get; init; }

    /// <summary>Empty: <c>CRON.md</c> in the data directory.</summary>
    public required string CronFile { get; init; }

    public CronNotifySettings CronNotify { get; init; } = new([], false, "");

    public required long AuditRetainedBytesMax { get; init; }

    public required ProgramSettings Programs { get; init; }

    public required IReadOnlyList<string> DefaultGrants { get; init; }

    /// <summary>Other devices need a grant for command handlers too.</summary>
    public required bool CommandsNeedGrant { get; init; }

    /// <summary>Programs that other devices start by single grants are locked in.</summary>
    public bool ConfinesPrograms { get; init; } = true;

    /// <summary>The file that was read; null for none.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Whose admissions of further devices count here.</summary>
    public required Mesh.Registry.Introductions Introductions { get; init; }

    public required PluginSettings Plugins { get; init; }

    /// <summary>The pool that this device is a member of; null for none.</summary>
    public required PoolSettings? Pool { get; init; }

    /// <summary>What this device takes from the others.</summary>
    public required LimitSettings Limits { get; init; }

    public required ClusterSettings Cluster { get; init; }

    public required string ControlSocket { get; init; }

    public required string LogLevel { get; init; }

    /// <summary>The <c>akka</c> part of the merged configuration, for the actor system.</summary>
    public required Config Engine { get; init; }
}

public readonly record struct HostPort(string Host, int Port)
{
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

public sealed record LinkSettings(
    TimeSpan RetryMin, TimeSpan RetryMax, TimeSpan ConnectTimeout, TimeSpan KeepAlive, TimeSpan DeadAfter, TimeSpan Refresh);

/// <summary>Who connects with whom, and how much this device sends.</summary>
/// <param name="AutoConnect">Devices are dialled by this one without being asked to.</param>
/// <param name="AutoConnectDevices">The same for single devices, by name or id.</param>
/// <param name="BytesPerSecondUp">What this device sends; 0 is no limit.</param>
/// <param name="BytesPerSecondDown">What it receives; 0 is no limit.</param>
public sealed record ConnectionsSettings(
    Links.Incoming Incoming, bool AutoConnect, IReadOnlyDictionary<string, bool> AutoConnectDevices, long BytesPerSecondUp, long BytesPerSecondDown);

/// <param name="Interval">Between two questions to each server.</param>
public sealed record StunSettings(IReadOnlyList<StunServer> Servers, TimeSpan Interval);

/// <param name="PasswordFile">A file that holds the password and nothing else; null where <paramref name="PasswordVariable"/> names an environment variable.</param>
public sealed record TurnServerSettings(TurnServer Server, string User, string? PasswordFile, string? PasswordVariable);

public sealed record UdpSettings(bool Offload, int BufferBytes, CongestionControl Congestion, bool Ecn);

/// <param name="KeyLog">A file that gets the secrets of all sessions; null: none.</param>
public sealed record SecuritySettings(TimeSpan KeyRotation, string? KeyLog);

/// <param name="Bootstrap">Nodes to begin with.</param>
public sealed record DhtSettings(bool Enabled, IReadOnlyList<DnsEndPoint> Bootstrap);

/// <param name="Mdns">Also as a service of mDNS.</param>
/// <param name="AnnounceName">The service shows the name of the device.</param>
public sealed record LanSettings(bool Enabled, int Port, TimeSpan Interval, bool Mdns, bool AnnounceName);

public sealed record InviteSettings(TimeSpan Lifetime, int OpenMax);

/// <summary>A time limit of null is none.</summary>
public sealed record JobSettings(
    int Attempts,
    TimeSpan BackoffMin,
    TimeSpan BackoffMax,
    double Jitter,
    bool PauseWhenUsedUp,
    TimeSpan? QueueTimeout,
    TimeSpan? AttemptTimeout,
    TimeSpan? TotalTimeout,
    TimeSpan HeartbeatTimeout,
    TimeSpan AwayTimeout,
    int RunningMax,
    int QueuedMax)
{
    /// <summary>Where jobs go that name no home: the pool, or else this device.</summary>
    public bool InPool { get; init; }

    public RetentionLimits Retained { get; init; } = new(null, null);
}

/// <summary>Which pool, and how its database is found. The connection string itself is read when the node starts, and kept out of here.</summary>
public sealed record PoolSettings(string Name, string ConnectionFile, string ConnectionVariable, TimeSpan Lease, TimeSpan AppendTimeout, int Readers, TimeSpan OutputRetained, long ArtifactBytesMax, long ArtifactSizeMax);

public sealed record OutputSettings(long RetainedBytesMax, long JobBytesMax, long SpoolBytesMax, long BesideCommands);

/// <summary>A time of null is no limit.</summary>
public sealed record ArtifactSettings(long RetainedBytesMax, long SizeMax, TimeSpan? RetainedFor, TimeSpan SafeFor);

/// <summary>Programs of jobs and the end of their node. A lease of null is none.</summary>
/// <param name="InputGrace">How long a program waits for who sends its input.</param>
/// <param name="Cgroups">auto, on or off.</param>
/// <param name="CgroupLimits">Whether programs get no more than their jobs ask for.</param>
public sealed record ProgramSettings(bool KeepOnStop, TimeSpan? Lease, TimeSpan InputGrace, string Cgroups = "auto", bool CgroupLimits = false);

/// <summary>To whom the ends of runs may be told.</summary>
/// <param name="Allow">Each as <c>agentmesh.cron.notify.allow</c> has it, checked.</param>
/// <param name="PlainHttp">Without TLS over the Internet too.</param>
/// <param name="SecretFile">Empty: nothing is signed.</param>
public sealed record CronNotifySettings(IReadOnlyList<string> Allow, bool PlainHttp, string SecretFile);

public sealed record PluginSettings(IReadOnlyList<string> Assemblies, IReadOnlyDictionary<string, IReadOnlyList<string>> Programs);

public sealed record ClusterSettings(TimeSpan UnreachableAfter, TimeSpan DownAfter);

/// <summary>A node that is a beacon too.</summary>
/// <param name="ForMesh">Only for devices of its mesh; else for all that know its key.</param>
/// <param name="TotalBytesPerSecond">0 is no bound.</param>
public sealed record BeaconRoleSettings(IReadOnlyList<IPEndPoint> Listen, bool Tls, bool ForMesh, long BytesPerSecond, long TotalBytesPerSecond, int DevicesMax);
