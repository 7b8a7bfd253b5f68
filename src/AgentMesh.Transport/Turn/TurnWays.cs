using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport.Turn;

/// <summary>
/// The ways of an endpoint that pass a TURN server: its own allocations, and those that other devices have told of. To everything above they are addresses like any other,
/// those of tunnels. Thread-safe.
/// </summary>
public sealed class TurnWays
{
    /// <summary>Allocations that one device tells of; more are not heeded.</summary>
    public const int PerDeviceMax = 4;

    /// <summary>Ways to one device at a time.</summary>
    public const int WaysMax = 4;

    private const int ToldMax = 4_096;
    private const int StrangersMax = 4;

    private readonly MeshEndpoint _endpoint;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<IPEndPoint, TurnFarEnd> _farEnds = new();
    private readonly ConcurrentDictionary<DeviceId, IReadOnlyList<RelayedPlace>> _told = new();
    private volatile IReadOnlyList<TurnRelay> _relays = [];

    internal TurnWays(MeshEndpoint endpoint) => _endpoint = endpoint;

    /// <summary>The ways to a device are others now.</summary>
    public event Action<DeviceId>? Changed;

    /// <summary>The allocations of this device.</summary>
    public IReadOnlyList<TurnRelay> Relays => _relays;

    /// <summary>A device says at which addresses servers pass on to it: all of them.</summary>
    public void Tell(DeviceId device, IReadOnlyList<RelayedPlace> places)
    {
        RelayedPlace[] now = [.. places.DistinctBy(place => place.Address).Where(place => !_endpoint.IsRemoteOfAnother(device, place.Address)).Take(PerDeviceMax)];
        var gone = new List<TurnFarEnd>();
        lock (_gate)
        {
            IReadOnlyList<RelayedPlace> before = _told.GetValueOrDefault(device, []);
            if (before.SequenceEqual(now) || (before.Count == 0 && _told.Count >= ToldMax))
            {
                return;
            }

            _told[device] = now;
            if (now.Length == 0)
            {
                _told.TryRemove(device, out _);
            }

            // Two devices may tell of the same one after another, when the server gave it anew.
            foreach (RelayedPlace old in before.Where(old => !_told.Values.Any(told => told.Any(place => place.Address.Equals(old.Address)))))
            {
                if (_farEnds.TryRemove(old.Address, out TurnFarEnd? ended))
                {
                    gone.Add(ended);
                }
            }

            foreach (RelayedPlace fresh in now.Where(place => !_farEnds.ContainsKey(place.Address)))
            {
                _farEnds[fresh.Address] = new TurnFarEnd(_endpoint, fresh);
            }
        }

        gone.ForEach(end => _endpoint.EndTunnel(end.Address));
        Changed?.Invoke(device);
    }

    /// <summary>The addresses that lead to a device, the best first: over an allocation at both ends, then over that of the other device alone.</summary>
    public IReadOnlyList<IPEndPoint> To(DeviceId device) => !_told.TryGetValue(device, out IReadOnlyList<RelayedPlace>? told)
        ? []
        : [.. told.SelectMany(place => _relays.Select(relay => relay.AddressOf(place.Address)).OfType<IPEndPoint>())
            .Concat(told.Select(place => _farEnds.GetValueOrDefault(place.Address)?.Address).OfType<IPEndPoint>()).Take(WaysMax)];

    /// <summary>A device has told that this address is its allocation.</summary>
    public bool IsTold(IPEndPoint address) => !_farEnds.IsEmpty && _farEnds.ContainsKey(address);

    /// <summary>For addresses of a device that is not known yet: over this device's allocations, because they may be allocations too.</summary>
    internal IEnumerable<IPEndPoint> ToStranger(IEnumerable<IPEndPoint> addresses)
    {
        IPEndPoint[] outside = [.. addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork && GatewayAddresses.IsUsable(address.Address) && GatewayAddresses.KindOf(address.Address) == GatewayAddressKind.Public).Take(StrangersMax)];
        return _relays.Take(2).SelectMany(relay => outside.Select(relay.AddressOf).OfType<IPEndPoint>());
    }

    /// <summary>What stands for the sender of a datagram where it is another device's allocation.</summary>
    internal bool TryStandIn(IPEndPoint from, [NotNullWhen(true)] out IPEndPoint? standIn)
    {
        standIn = !_farEnds.IsEmpty && _farEnds.TryGetValue(from, out TurnFarEnd? end) ? end.Address : null;
        return standIn is not null;
    }

    internal void Add(TurnRelay relay)
    {
        lock (_gate)
        {
            _relays = [.. _relays, relay];
        }
    }

    internal void Remove(TurnRelay relay)
    {
        lock (_gate)
        {
            _relays = [.. _relays.Where(each => each != relay)];
        }
    }

    /// <summary>An allocation of this device came, or went.</summary>
    internal void TellAll()
    {
        foreach (DeviceId device in _told.Keys)
        {
            Changed?.Invoke(device);
        }
    }
}
