using System.Net;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>What frames of a link say, cut to its bounds; what is no name, label or device is left out.</summary>
internal static class LinkContent
{
    public static DeviceHello Of(Hello hello) => new(
        SettingsReader.CleanName(hello.Name),
        Short(hello.Platform),
        Short(hello.HostName),
        Short(hello.ProductVersion),
        [.. hello.Capabilities.Take(64).Select(Short)],
        [.. hello.Labels.Where(DeviceLabel.IsValid).Take(DeviceLabel.PerDeviceMax)]);

    public static IReadOnlyList<RelayedPlace> Of(IEnumerable<RelayedAddress> relayed) =>
    [
        .. relayed.Take(TurnWays.PerDeviceMax).Where(each => AddressText.TryParse(each.Address, out _)).Select(each => new RelayedPlace(IPEndPoint.Parse(each.Address), HostOf(each.Host))),
    ];

    public static IEnumerable<RelayedAddress> Of(IEnumerable<RelayedPlace> relayed) =>
        relayed.Take(TurnWays.PerDeviceMax).Select(place => new RelayedAddress { Address = place.Address.ToString(), Host = place.Host });

    public static IReadOnlySet<DeviceId> Of(Whereabouts whereabouts)
    {
        var devices = new HashSet<DeviceId>();
        foreach (Sighting sighting in whereabouts.Sightings.Take(1_000))
        {
            if (DeviceId.TryParse(sighting.Device, out DeviceId id))
            {
                devices.Add(id);
            }
        }

        return devices;
    }

    public static ClusterView? Of(DeviceId device, View view)
    {
        var members = new HashSet<ViewMember>();
        foreach (Member member in view.Members.Take(10_000))
        {
            if (DeviceId.TryParse(member.Device, out DeviceId id))
            {
                members.Add(new ViewMember(id, member.Incarnation));
            }
        }

        return members.Count == 0 ? null : new ClusterView(new ViewMember(device, view.Incarnation), members);
    }

    public static Load Of(DeviceLoad load)
    {
        var wire = new Load { Running = load.Running, Waiting = load.Waiting };
        foreach ((string name, long total) in load.Capacity?.Thousandths ?? (IEnumerable<KeyValuePair<string, long>>)[])
        {
            wire.Resources.Add(new ResourceLevel { Name = name, Total = total, Free = load.Free[name] });
        }

        return wire;
    }

    /// <summary>Of a version that tells no resources they are unknown, which is not the same as none.</summary>
    public static DeviceLoad Of(Load load)
    {
        ResourceLevel[] levels = [.. load.Resources.Take(ResourceAmounts.NamesMax).Where(level => ResourceAmounts.IsName(level.Name)).DistinctBy(level => level.Name)];
        return new DeviceLoad(
            Math.Max(0, load.Running),
            Math.Max(0, load.Waiting),
            load.Resources.Count == 0 ? null : Amounts(level => level.Total),
            load.Resources.Count == 0 ? ResourceAmounts.None : Amounts(level => Math.Min(level.Free, level.Total)));

        ResourceAmounts Amounts(Func<ResourceLevel, long> of) =>
            ResourceAmounts.Of(levels.Select(level => KeyValuePair.Create(level.Name, Math.Clamp(of(level), 0, ResourceAmounts.AmountMax))));
    }

    public static Dictionary<DeviceId, ulong> Of(RegistryHeads heads)
    {
        var read = new Dictionary<DeviceId, ulong>();
        foreach (Head head in heads.Heads.Take(10_000))
        {
            if (DeviceId.TryParse(head.Author, out DeviceId author))
            {
                read[author] = head.Count;
            }
        }

        return read;
    }

    // Shown to people.
    private static string HostOf(string text) => Uri.CheckHostName(text) == UriHostNameType.Unknown || text.Length > 128 ? "a TURN server" : text;

    private static string Short(string text) => text.Length <= 128 ? text : text[..128];
}
