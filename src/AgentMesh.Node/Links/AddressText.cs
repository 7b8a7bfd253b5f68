using System.Net;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Node.Links;

/// <summary>"192.0.2.7:14590" and "[2001:db8::7]:14590", as they stand in hellos and files.</summary>
internal static class AddressText
{
    public const int HostsMax = 8;

    public static bool TryParse(string text, out IPEndPoint endpoint)
    {
        endpoint = null!;
        if (text.Length > 64 || !IPEndPoint.TryParse(text, out IPEndPoint? parsed) || parsed.Port == 0 ||
            parsed.Address.Equals(IPAddress.Any) || parsed.Address.Equals(IPAddress.IPv6Any) || IsStandIn(parsed))
        {
            return false;
        }

        endpoint = parsed;
        return true;
    }

    public static IEnumerable<IPEndPoint> ParseAll(IEnumerable<string> texts, int most) => texts.Take(most).Where(text => TryParse(text, out _)).Select(text => IPEndPoint.Parse(text));

    /// <summary>IP addresses without ports, at most <see cref="HostsMax"/>.</summary>
    public static IEnumerable<IPAddress> ParseHosts(IEnumerable<string> texts) =>
        texts.Take(HostsMax).Where(text => text.Length <= 64).Select(text => IPAddress.TryParse(text, out IPAddress? address) ? address : null).OfType<IPAddress>();

    // What stands for a relay channel, a tunnel or a socket of this device is nobody else's to name.
    private static bool IsStandIn(IPEndPoint address) => RelayAddress.IsRelay(address) || TunnelAddress.IsTunnel(address) || SpareAddress.IsSpare(address);
}
