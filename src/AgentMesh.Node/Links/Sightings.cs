using System.Net;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Links;

/// <summary>
/// Where devices are said to be: by themselves on a local network or in the DHT, by others over their links, by whoever relays. Hints about admitted devices, no more: they are remembered and make this
/// device dial, and who answers is proven by the handshake. Thread-safe.
/// </summary>
/// <param name="hurry">Dials a device at once.</param>
internal sealed class Sightings(ConnectionHub hub, DeviceDirectory directory, Func<DeviceId, bool> isLinked, Action<DeviceId> hurry)
{
    /// <summary>Devices of one frame that are heeded; what a device says of more is left.</summary>
    private const int TakenMax = 1_000;

    private const int SaidMax = 200;
    private const int AddressesMax = 8;

    /// <summary>A way to a device has come or gone.</summary>
    public void TakeWay(DeviceId device, bool isNew)
    {
        if (isNew && directory.Admitted.ContainsKey(device) && !isLinked(device))
        {
            hub.ReadAddressesAgain(device);
            hurry(device);
        }
    }

    /// <summary>A device has announced itself.</summary>
    public void TakeAnnouncement(DeviceId device, IPEndPoint at)
    {
        if (!directory.Admitted.ContainsKey(device))
        {
            return;
        }

        if (isLinked(device))
        {
            // A further address for later; the one in use stays the first.
            directory.Told(device, [at]);
            if (hub.Find(device) is MeshConnection live && !live.Path.Remote.Equals(at))
            {
                // It may have left the one in use, as this device may have: with nobody between, only announcements tell.
                live.Probe([at], TimeSpan.Zero);
            }

            return;
        }

        if (directory.Announced(device, at))
        {
            hub.ReadAddressesAgain(device);
        }

        hurry(device);
    }

    /// <summary>A linked device has said where it found others.</summary>
    public void Take(Whereabouts whereabouts)
    {
        foreach (Sighting sighting in whereabouts.Sightings.Take(TakenMax))
        {
            if (!DeviceId.TryParse(sighting.Device, out DeviceId id) || !directory.Admitted.ContainsKey(id))
            {
                continue;
            }

            if (sighting.Relayed.Count > 0 && !isLinked(id))
            {
                // Raises a new way where it is one.
                directory.HeardRelayed(id, LinkContent.Of(sighting.Relayed), null);
            }

            if (directory.Told(id, AddressText.ParseAll(sighting.Addresses, AddressesMax).Where(address => !address.Address.IsIPv6LinkLocal)) && !isLinked(id))
            {
                hurry(id);
            }
        }
    }

    /// <summary>Where this device has found others.</summary>
    /// <param name="heard">Those that it hears now.</param>
    public Whereabouts Say(IEnumerable<DeviceId> heard)
    {
        var all = new Whereabouts();
        foreach (DeviceId device in heard.Take(SaidMax))
        {
            var sighting = new Sighting { Device = device.ToString() };

            // A link-local address means something else on each device.
            sighting.Addresses.Add(directory.Addresses(device).Where(address => !address.Address.IsIPv6LinkLocal).Take(AddressesMax).Select((IPEndPoint address) => address.ToString()));
            sighting.Relayed.Add(LinkContent.Of(directory.Relayed(device)));
            all.Sightings.Add(sighting);
        }

        return all;
    }
}
