using System.Globalization;
using System.Net;
using AgentMesh.Errors;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Pairing;

/// <summary>Where the inviting device is, as a person types it: HOST, HOST:PORT, an IPv6 address, or one in brackets with a port.</summary>
internal static class JoinPlace
{
    /// <summary>What a device listens on where nothing else is said (agentmesh.port).</summary>
    public const int UsualPort = 14590;

    /// <exception cref="MeshException">AM0208: no such place.</exception>
    public static IReadOnlyList<IPEndPoint> Resolve(string text)
    {
        if (!TryRead(text.Trim(), out HostPort place))
        {
            throw Unusable(text, "is no host with a port");
        }

        IReadOnlyList<IPEndPoint> found = LocalAddresses.Resolve(place);
        return found.Count > 0 ? [.. found.Take(8)] : throw Unusable(text, "has no address");
    }

    internal static bool TryRead(string text, out HostPort place)
    {
        int colon = text.LastIndexOf(':');
        bool isBareV6 = text.Count(c => c == ':') > 1 && !text.StartsWith('[');
        bool hasPort = colon >= 0 && !isBareV6 && !text.EndsWith(']');
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        int port = UsualPort;
        bool isPort = !hasPort || int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port);
        place = new HostPort(host, port);
        return host.Length > 0 && isPort && port is > 0 and <= ushort.MaxValue;
    }

    private static MeshException Unusable(string text, string why) => new(
        NodeErrors.ControlRequest, $"'{text}' {why}", "write --at HOST or --at HOST:PORT, for example 192.0.2.7:14590 or [2001:db8::7]:14590");
}
