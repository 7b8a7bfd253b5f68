using System.Net;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Discovery;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>The ways to find devices without being told an address, those of the settings: announcements on the local links, mDNS, the DHT.</summary>
internal sealed class Discoveries : IAsyncDisposable
{
    private readonly DhtService? _dht;
    private readonly MdnsDiscovery? _mdns;
    private string? _lanProblem;
    private string? _mdnsProblem;

    /// <param name="dhtNodes">The file of the nodes that answered lately.</param>
    public Discoveries(
        NodeSettings settings, DeviceIdentity identity, MeshEndpoint endpoint, DeviceDirectory directory, DeviceRegistry registry, LinkService links, string dhtNodes, TimeProvider time, ILogger log)
    {
        if (settings.Lan.Enabled)
        {
            Lan = new LanDiscovery(identity, new LanDiscoverySettings { Port = settings.Lan.Port, Interval = settings.Lan.Interval }, endpoint.LocalAddresses, SystemEntropy.Instance, time);
            Lan.Found += (device, at) => links.Sightings.TakeAnnouncement(endpoint.DeviceOf(device), at);
            Lan.Found += (device, at) => Log.Announced(log, device.ToString(), at);
            Lan.Unusable += reason =>
            {
                _lanProblem = reason;
                Log.LanUnusable(log, reason);
            };
        }

        if (settings.Lan is { Enabled: true, Mdns: true })
        {
            _mdns = new MdnsDiscovery(identity, settings.Lan.AnnounceName ? settings.DeviceName : null, endpoint.LocalAddresses, SystemEntropy.Instance, time);
            _mdns.Found += (device, at) => links.Sightings.TakeAnnouncement(endpoint.DeviceOf(device), at);
            _mdns.Found += (device, at) => Log.FoundByMdns(log, device.ToString(), at);
            _mdns.Unusable += reason =>
            {
                _mdnsProblem = reason;
                Log.MdnsUnusable(log, reason);
            };
        }

        if (settings.Dht.Enabled)
        {
            var file = new DhtNodesFile(dhtNodes);
            var dht = new DhtDiscovery(identity, settings.Dht.Bootstrap, file.Read(), [IPAddress.Any, IPAddress.IPv6Any], SystemEntropy.Instance, time);
            _dht = new DhtService(dht, file, directory, links, identity.Id, () => links.Help.Candidates(), time, log);
        }

        registry.Changed += Admit;
        Admit();

        void Admit()
        {
            Lan?.Admit(directory.Admitted.Values);
            _mdns?.Admit(directory.Admitted.Values);
        }
    }

    /// <summary>Null where it is switched off.</summary>
    public LanDiscovery? Lan { get; }

    public void Start()
    {
        Lan?.Start();
        _mdns?.Start();
        _dht?.Start();
    }

    public DiscoveryView View()
    {
        LanCounters? lan = Lan?.Counters;
        MdnsCounters? mdns = _mdns?.Counters;
        return new DiscoveryView(
            lan is { } links ? new LanView(links.Interfaces, links.Sent, links.Accepted, links.Interfaces == 0 ? _lanProblem : null) : null,
            mdns is { } shown ? new MdnsView(shown.Interfaces, shown.Known, shown.Found, shown.Interfaces == 0 ? _mdnsProblem : null) : null,
            _dht?.View());
    }

    public async ValueTask DisposeAsync()
    {
        if (_dht is not null)
        {
            await _dht.DisposeAsync().ConfigureAwait(false);
        }

        if (_mdns is not null)
        {
            await _mdns.DisposeAsync().ConfigureAwait(false);
        }

        if (Lan is not null)
        {
            await Lan.DisposeAsync().ConfigureAwait(false);
        }
    }
}
