using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>The beacons of this device: what they offer goes to the links, what they see goes to the candidates.</summary>
internal sealed class BeaconService : IAsyncDisposable
{
    private readonly IReadOnlyList<BeaconClient> _clients;
    private readonly MeshEndpoint _endpoint;
    private readonly DeviceDirectory _directory;
    private readonly LinkService _links;
    private readonly OwnAddresses _addresses;
    private readonly ILogger _log;

    public BeaconService(
        IReadOnlyList<BeaconAddress> places, DeviceId self, MeshEndpoint endpoint, DeviceDirectory directory, LinkService links, OwnAddresses addresses, TimeProvider time, ILogger log)
    {
        _endpoint = endpoint;
        _directory = directory;
        _links = links;
        _addresses = addresses;
        _log = log;
        _clients = [.. places.Select(place => new BeaconClient(endpoint, place, () => directory.Admitted.Keys.Where(device => device != self), new BeaconClientSettings(), time))];
        directory.WaysRound = device => endpoint.Relays.To(device).Select(channel => channel.Address);
        links.Candidates = () => Candidates;
        endpoint.Relays.Changed += OnChannelsChanged;
        foreach (BeaconClient client in _clients)
        {
            client.Changed += OnClientChanged;
        }
    }

    public IReadOnlyList<BeaconClient> Clients => _clients;

    /// <summary>Where this device may be reached now: as beacons see it, then its interfaces.</summary>
    private IReadOnlyList<IPEndPoint> Candidates => [.. _clients.Select(client => client.Observed).OfType<IPEndPoint>().Concat(_addresses.Current).Where(address => !IPAddress.IsLoopback(address.Address) && !address.Address.IsIPv6LinkLocal).Distinct()];

    public void Start()
    {
        foreach (BeaconClient client in _clients)
        {
            client.Start();
        }
    }

    /// <summary>Others were admitted or put out.</summary>
    public void Refresh()
    {
        foreach (BeaconClient client in _clients)
        {
            client.Refresh();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.Relays.Changed -= OnChannelsChanged;
        foreach (BeaconClient client in _clients)
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void OnChannelsChanged(DeviceId device) => _links.TakeWay(device, isNew: _endpoint.Relays.To(device).Count > 0);

    private void OnClientChanged(BeaconClient client)
    {
        if (client.Observed is { } seen)
        {
            Log.BeaconFound(_log, client.Place.Name, seen);
            _links.TakeNewCandidates();
        }
        else
        {
            Log.BeaconLost(_log, client.Place.Name, client.Problem?.Message ?? "the connection ended");
        }
    }
}
