using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace AgentMesh.Protocol.Gateways.Upnp;

/// <summary>Search for internet gateways by SSDP (UPnP Device Architecture 1.1, section 1.3).</summary>
public static class Ssdp
{
    /// <summary>Longer answers are dropped.</summary>
    public const int DatagramBytesMax = 2048;

    private const int HeadersMax = 32;

    public static IPEndPoint Group { get; } = new(new IPAddress((ReadOnlySpan<byte>)[239, 255, 255, 250]), 1900);

    /// <summary>Services that map ports, best first. Gateways answer for the versions below theirs too.</summary>
    public static IReadOnlyList<string> Targets { get; } =
    [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    public static byte[] Search(string target) =>
        Encoding.ASCII.GetBytes($"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n");

    /// <summary>An answer to a search for one of <see cref="Targets"/> whose description is on the host that answered. False for anything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, IPAddress from, [NotNullWhen(true)] out Uri? location)
    {
        location = null;
        if (datagram.Length is 0 or > DatagramBytesMax)
        {
            return false;
        }

        string[] lines = Encoding.Latin1.GetString(datagram).Split("\r\n", HeadersMax + 2);
        if (lines.Length > HeadersMax + 1 || !lines[0].StartsWith("HTTP/1.", StringComparison.Ordinal) || !lines[0].Contains(" 200 ", StringComparison.Ordinal))
        {
            return false;
        }

        string? target = Header(lines, "ST");
        return target is not null && Targets.Contains(target) && Header(lines, "LOCATION") is { } text && UpnpAddress.TryParse(text, from, out location);
    }

    private static string? Header(string[] lines, string name)
    {
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon == name.Length && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return line[(colon + 1)..].Trim();
            }
        }

        return null;
    }
}
