using System.Net;
using System.Net.NetworkInformation;

namespace AgentMesh.Node.Links;

/// <summary>An address of this device with what is known of its interface.</summary>
/// <param name="LeadsOut">The interface has a gateway.</param>
internal readonly record struct InterfaceAddress(string Interface, NetworkInterfaceType Type, bool LeadsOut, IPEndPoint Address);

/// <summary>
/// Which addresses of this device others are told first, because lists of them are bounded everywhere: those of networks that lead out, then those of other networks, then
/// those of tunnels, then those of bridges for containers and virtual machines, which many hosts share and which lead nowhere from outside. Loopback is last: it is
/// right only for devices of the same machine, which is what tests and demos are.
/// </summary>
internal static class InterfaceOrder
{
    /// <summary>Of one interface before those of the next have had their turn: temporary IPv6 addresses come in dozens.</summary>
    public const int AtOnceMax = 4;

    private static readonly string[] Bridges =
        ["docker", "br-", "veth", "virbr", "vnet", "vmnet", "vboxnet", "vethernet", "lxc", "lxd", "cni", "flannel", "cali", "cilium", "podman", "kube", "weave", "bridge"];

    private static readonly string[] Tunnels = ["tun", "tap", "wg", "utun", "ppp", "ipsec", "gre", "sit", "tailscale", "zt", "nordlynx", "proton", "cloudflarewarp"];

    private enum Rank
    {
        LeadsOut,
        Local,
        Tunnel,
        Bridge,
        Loopback,
    }

    public static IEnumerable<IPEndPoint> Sort(IEnumerable<InterfaceAddress> addresses) =>
        addresses
            .GroupBy(each => each.Interface, StringComparer.Ordinal)
            .SelectMany(group => group.Select((each, index) => (each.Address, Rank: RankOf(each), Turn: index / AtOnceMax)))
            .OrderBy(each => each.Rank).ThenBy(each => each.Turn) // stable: else as the system has them
            .Select(each => each.Address);

    private static Rank RankOf(InterfaceAddress each) =>
        IPAddress.IsLoopback(each.Address.Address) ? Rank.Loopback
        : IsNamed(each.Interface, Bridges) ? Rank.Bridge
        : IsNamed(each.Interface, Tunnels) || each.Type is NetworkInterfaceType.Tunnel or NetworkInterfaceType.Ppp ? Rank.Tunnel
        : each.LeadsOut ? Rank.LeadsOut
        : Rank.Local;

    private static bool IsNamed(string name, string[] starts) => Array.Exists(starts, start => name.StartsWith(start, StringComparison.OrdinalIgnoreCase));
}
