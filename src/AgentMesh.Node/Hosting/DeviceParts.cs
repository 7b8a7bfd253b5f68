using System.Security.Cryptography;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Hosting;

/// <summary>This device and whom it knows: its directory and identity, the registry, and the endpoint at which it speaks with others.</summary>
internal sealed class DeviceParts
{
    private DeviceParts(NodeSettings settings, DataDirectory data, TimeProvider time, ILogger log, Endings endings)
    {
        (Settings, Data, Time, Log) = (settings, data, time, log);
        (Identity, NextIdentity) = KeyRotation.Load(data.Root);
        Registry = endings.Add(DeviceRegistry.Open(data[DeviceRegistry.FileName], Identity, time, NextIdentity, settings.Introductions));
        Directory = new DeviceDirectory(data["devices.json"], time);
        Registry.Changed += ShowAdmitted;
        ShowAdmitted();
        Names = new Devices(Identity.Id, settings.DeviceName, Registry, Directory);
        Pairing = new PairingService(Identity, settings, Registry, Directory, KeptInvitations.Open(data[InvitationFile.FileName], Registry.OwnKey, Registry, settings.Invite.OpenMax, time, log), time, log);
        Policy = new ConnectionPolicy(settings.Connections, Pairing, device => Registry.Devices.GetValueOrDefault(device)?.Name);
        Pairing.CheckInvitation = Policy.CheckInvitation;
        var formerKeys = new FormerKeys(Policy, () => Policy.Settings.Incoming != Incoming.None, Registry, time, log);
        Endpoint = endings.AddAsync(MeshEndpoint.Open(Identity, formerKeys, StampFile.Open(data.Root), EndpointSettings(settings, KeyLogOf(endings)), SystemEntropy.Instance, time));
        Endpoint.BytesPerSecondMax = settings.Connections.BytesPerSecondUp;
        foreach (MeshSocketInfo socket in Endpoint.Sockets)
        {
            Node.Log.Listens(log, socket.Local, socket.ReceiveBufferBytes, socket.SendBufferBytes, socket.BufferBytesAsked, socket.SendsBatches, socket.ReceivesBatches);
        }

        Hub = endings.AddAsync(new ConnectionHub(Endpoint, Directory, time) { WhyNotDialled = Policy.WhyNotDialled, TakesAside = formerKeys.TryTake });
        endings.AddAsync(formerKeys);
        Hub.Connected += Pairing.Connected;
        endings.AddAsync(new Departures(Registry, Pairing, Hub));
        Life = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) & long.MaxValue | 1;
    }

    public NodeSettings Settings { get; }

    public DataDirectory Data { get; }

    public DeviceIdentity Identity { get; }

    public DeviceId Id => Identity.Id;

    /// <summary>Of a change of keys that was interrupted; otherwise null.</summary>
    public DeviceIdentity? NextIdentity { get; }

    public DeviceRegistry Registry { get; }

    public DeviceDirectory Directory { get; }

    public Devices Names { get; }

    public PairingService Pairing { get; }

    /// <summary>Whose connections are taken, and who is dialled.</summary>
    public ConnectionPolicy Policy { get; }

    public MeshEndpoint Endpoint { get; }

    public ConnectionHub Hub { get; }

    /// <summary>Another one each time the node starts, by which others notice that it has; never 0.</summary>
    public long Life { get; }

    public TimeProvider Time { get; }

    public ILogger Log { get; }

    /// <exception cref="Errors.MeshException">AM0102 to AM0104: the identity. AM0330, AM0331: the registry. AM0181: the invitations. AM0130 and its like: a socket.</exception>
    public static DeviceParts Open(DataDirectory data, NodeSettings settings, TimeProvider time, Endings endings)
    {
        ILogger log = endings.Add(NodeLogging.Create(settings.LogLevel)).CreateLogger("node");
        if (BurntIdentity.Replace(data.Root) is { } old)
        {
            Node.Log.NewIdentity(log, old);
        }

        return new DeviceParts(settings, data, time, log, endings);
    }

    private static MeshEndpointSettings EndpointSettings(NodeSettings settings, KeyLogFile? keyLog) => new()
    {
        Handshake = new HandshakeSettings { Rekey = new RekeySettings { Interval = settings.Security.KeyRotation }, KeyLog = keyLog },
        Listen = settings.Listen,
        Offload = settings.Udp.Offload,
        SocketBufferBytes = settings.Udp.BufferBytes,
        BytesPerSecondReceivedMax = settings.Connections.BytesPerSecondDown,
        Connection = new ConnectionSettings
        {
            KeepAlive = settings.Link.KeepAlive,
            PeerTimeout = settings.Link.DeadAfter > settings.Link.KeepAlive ? settings.Link.DeadAfter - settings.Link.KeepAlive : settings.Link.DeadAfter,
            IdleTimeout = TimeSpan.Zero,
            Congestion = settings.Udp.Congestion,
            Ecn = settings.Udp.Ecn,
        },
    };

    private KeyLogFile? KeyLogOf(Endings endings)
    {
        if (Settings.Security.KeyLog is not { } path)
        {
            return null;
        }

        Node.Log.KeyLogOn(Log, path);
        return endings.Add(KeyLogFile.Open(path));
    }

    private void ShowAdmitted()
    {
        foreach (RegisteredDevice device in Registry.Devices.Values.Where(device => device.FormerKeys.Count > 0))
        {
            Directory.Unite(device.Key.Id, device.Id);
        }

        Directory.Admitted = Registry.Devices.ToDictionary(device => device.Key, device => device.Value.Key);
    }
}
