using System.Collections.Immutable;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using Akka.Actor;

namespace AgentMesh.Node.Hosting;

/// <summary>Tells the entity of each peer what the links see: when a device comes and goes, at which address, and what it says of itself.</summary>
internal sealed class PeerRecorder : ReceiveActor
{
    private const int AddressesMax = 8;

    private readonly DeviceId _self;
    private readonly IActorRef _peers;
    private readonly DeviceRegistry _registry;
    private readonly LinkService _links;
    private readonly DeviceDirectory _directory;
    private readonly ConnectionHub _hub;
    private readonly TimeProvider _time;
    private Action<DeviceId> _changed = static _ => { };

    public PeerRecorder(DeviceId self, IActorRef peers, DeviceRegistry registry, LinkService links, DeviceDirectory directory, ConnectionHub hub, TimeProvider time)
    {
        _self = self;
        _peers = peers;
        _registry = registry;
        _links = links;
        _directory = directory;
        _hub = hub;
        _time = time;
        Receive<LinkChanged>(changed => Record(changed.Device));
        Receive<PeerRecorded>(_ => { });
    }

    public static Props Create(DeviceId self, IActorRef peers, DeviceRegistry registry, LinkService links, DeviceDirectory directory, ConnectionHub hub, TimeProvider time) =>
        Props.Create(() => new PeerRecorder(self, peers, registry, links, directory, hub, time));

    protected override void PreStart()
    {
        IActorRef self = Self;
        _changed = device => self.Tell(new LinkChanged(device));
        _links.Changed += _changed;
        foreach (DeviceId device in _links.Linked)
        {
            Record(device);
        }
    }

    protected override void PostStop() => _links.Changed -= _changed;

    private void Record(DeviceId device)
    {
        if (!_registry.Devices.TryGetValue(device, out RegisteredDevice? known))
        {
            return;
        }

        var id = new PeerId(_self, device);
        if (_directory.Hello(device) is { } hello)
        {
            ImmutableArray<string> capabilities = [.. hello.Capabilities.Take(PeerFacts.CapabilitiesMax)];
            var facts = new PeerFacts(known.Name, known.Key, capabilities, hello.Platform, hello.HostName);
            _peers.Tell(new RecordPeerFacts(id, facts, [.. _directory.Addresses(device).Take(AddressesMax).Select(address => address.ToString())]));
        }

        bool isLinked = _links.IsLinked(device);
        Transport.MeshPathInfo? path = isLinked ? _hub.Find(device)?.Path : null;
        _peers.Tell(new RecordPeerLink(id, isLinked ? PeerConnectionState.Connected : PeerConnectionState.Disconnected, _time.GetUtcNow(), path?.Place, path?.RoundTrip));
    }

    private sealed record LinkChanged(DeviceId Device) : INoSerializationVerificationNeeded;
}
