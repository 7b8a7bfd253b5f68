using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Pairing;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>
/// The beacons of this device, those of its settings and those that it was invited by: what they offer goes to the links, what they see goes to the candidates. Thread-safe.
/// </summary>
internal sealed class BeaconService : IAsyncDisposable
{
    // Of settings, file and invitations together; further ones are left out.
    private const int BeaconsMax = 16;

    private static readonly TimeSpan ConfirmWithin = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly List<BeaconClient> _clients = [];
    private readonly ConcurrentDictionary<UInt128, DateTimeOffset> _joining = new();
    private readonly BeaconClientSettings _settings;
    private readonly BeaconFile _file;
    private readonly NameLookup _names;
    private readonly MeshEndpoint _endpoint;
    private readonly DeviceDirectory _directory;
    private readonly DeviceId _self;
    private readonly LinkService _links;
    private readonly BeaconObservations _observations;
    private readonly InvitationBook _invitations;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private CodePairing? _codes;
    private bool _started;

    public BeaconService(
        IReadOnlyList<BeaconAddress> places,
        BeaconClientSettings settings,
        BeaconFile file,
        NameLookup names,
        DeviceId self,
        MeshEndpoint endpoint,
        DeviceDirectory directory,
        LinkService links,
        CandidateList candidates,
        InvitationBook invitations,
        TimeProvider time,
        ILogger log)
    {
        _settings = settings;
        _file = file;
        _names = names;
        _self = self;
        _endpoint = endpoint;
        _directory = directory;
        _links = links;
        _observations = new BeaconObservations(() => Clients.Select(client => client.Observed));
        _invitations = invitations;
        _time = time;
        _log = log;
        foreach (BeaconAddress place in places.Concat(file.Read()))
        {
            TryAdd(place);
        }

        directory.WaysRound = device => endpoint.Relays.To(device).Select(channel => channel.Address).Concat(endpoint.Turn.To(device));
        candidates.Add(_observations);
        endpoint.Relays.Changed += OnChannelsChanged;
    }

    /// <summary>Keys that do not count any more: who has one is met here too, so that he can be told.</summary>
    public Func<IEnumerable<DeviceId>> FormerKeys { get; set; } = static () => [];

    public IReadOnlyList<BeaconClient> Clients
    {
        get
        {
            lock (_gate)
            {
                return [.. _clients];
            }
        }
    }

    /// <summary>From now on codes lead over the beacons too.</summary>
    public void Carry(CodePairing codes)
    {
        lock (_gate)
        {
            _codes = codes;
            foreach (BeaconClient client in _clients)
            {
                codes.AddWay(client.Codes);
            }
        }

        codes.Proven += Refresh;
    }

    /// <summary>A beacon that sees this device at an address has an observer.</summary>
    public event Action<IPEndPoint, ObserverPlace>? ObserverFound;

    /// <summary>Where a beacon sees this device over IPv4; null where none does.</summary>
    public IPEndPoint? Outside => Clients.Select(client => client.Observed).FirstOrDefault(seen => seen?.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>Whether a device is at an IP address, by every beacon that both are connected to and that answers, and by one at least.</summary>
    public async Task<bool> IsThereAsync(DeviceId device, IPEndPoint address, CancellationToken cancellationToken)
    {
        bool?[] answers = await Task.WhenAll(Clients.Select(client => client.ConfirmAsync(device, address, ConfirmWithin, cancellationToken))).ConfigureAwait(false);
        return Array.Exists(answers, answer => answer == true) && !Array.Exists(answers, answer => answer == false);
    }

    public void Start()
    {
        _started = true;
        foreach (BeaconClient client in Clients)
        {
            client.Start();
        }
    }

    /// <summary>Others were admitted, put out or invited.</summary>
    public void Refresh()
    {
        foreach (BeaconClient client in Clients)
        {
            client.Refresh();
        }
    }

    /// <summary>Waits for the inviter at the beacons of an invitation, also at those that this device did not know.</summary>
    public Meeting Meet(Invitation invitation)
    {
        UInt128 secret = invitation.Secret.Meeting;
        foreach (UInt128 expired in _joining.Where(joining => joining.Value <= _time.GetUtcNow()).Select(joining => joining.Key).ToArray())
        {
            _joining.TryRemove(expired, out _);
        }

        _joining[secret] = invitation.ExpiresAt;
        var added = new List<BeaconClient>();
        foreach (string text in invitation.Beacons)
        {
            if (BeaconAddress.TryParse(text, out BeaconAddress? place) && TryAdd(place) is { } client)
            {
                client.Start();
                added.Add(client);
            }
        }

        Refresh();
        return new Meeting(this, secret, added);
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.Relays.Changed -= OnChannelsChanged;
        foreach (BeaconClient client in Clients)
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Those that expire first come first: who has proven a code comes within half a minute. Until an invitation expires, also when it was used: both sides need the way that they met by until both have told the beacon that they know each other.
    private IEnumerable<UInt128> Meetings()
    {
        DateTimeOffset now = _time.GetUtcNow();
        return _joining.Where(joining => joining.Value > now).Select(joining => joining.Key)
            .Concat(_invitations.Records.Where(record => record.ExpiresAt > now).OrderBy(record => record.ExpiresAt).Select(record => record.Secret.Meeting));
    }

    /// <returns>Null when it is one of this device's already, or there are too many.</returns>
    private BeaconClient? TryAdd(BeaconAddress place)
    {
        lock (_gate)
        {
            if (_clients.Count >= BeaconsMax || _clients.Exists(client => client.Place.Key == place.Key))
            {
                return null;
            }

            var fresh = new BeaconClient(_endpoint, place, () => _directory.Admitted.Where(device => device.Key != _self).Select(device => device.Value.Id).Concat(FormerKeys()), Meetings, _settings, _names, _time);
            fresh.Changed += OnClientChanged;
            fresh.ObserverChanged += OnObserverChanged;
            _clients.Add(fresh);
            _codes?.AddWay(fresh.Codes);
            return fresh;
        }
    }

    private async Task RemoveAsync(BeaconClient client)
    {
        lock (_gate)
        {
            _clients.Remove(client);
            _codes?.RemoveWay(client.Codes);
        }

        await client.DisposeAsync().ConfigureAwait(false);
    }

    private void OnChannelsChanged(DeviceId device) => _links.Sightings.TakeWay(device, isNew: _endpoint.Relays.To(device).Count > 0);

    private void OnObserverChanged(BeaconClient client)
    {
        if (client is { Observed: { } seen, Observer: { } observer })
        {
            ObserverFound?.Invoke(seen, observer);
        }
    }

    private void OnClientChanged(BeaconClient client)
    {
        OnObserverChanged(client);
        if (client.IsRegistered)
        {
            if (client.Observed is { } seen)
            {
                Log.BeaconFound(_log, client.Place.Name, seen);
            }
            else
            {
                Log.BeaconFoundByWebSocket(_log, client.Place.Name);
            }

            _observations.Update();
        }
        else if (_started)
        {
            Log.BeaconLost(_log, client.Place.Name, client.Problem?.Message ?? "the connection ended");
        }
    }

    /// <summary>One attempt to join. A beacon that it brought is kept when it succeeded, and left when not.</summary>
    internal sealed class Meeting(BeaconService owner, UInt128 secret, IReadOnlyList<BeaconClient> added) : IAsyncDisposable
    {
        private bool _isKept;

        public void Keep()
        {
            _isKept = true;
            owner._file.Add(added.Select(client => client.Place));
        }

        public async ValueTask DisposeAsync()
        {
            if (_isKept)
            {
                return;
            }

            owner._joining.TryRemove(secret, out _);
            foreach (BeaconClient client in added)
            {
                await owner.RemoveAsync(client).ConfigureAwait(false);
            }

            owner.Refresh();
        }
    }
}
