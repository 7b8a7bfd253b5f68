using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace AgentMesh.Protocol.Gateways.Upnp;

/// <summary>Addresses that a gateway names: of itself and nobody else, so that its answers cannot send this device elsewhere.</summary>
public static class UpnpAddress
{
    private const int CharactersMax = 512;

    /// <summary>An absolute http address whose host is the IP address <paramref name="host"/>.</summary>
    public static bool TryParse(string text, IPAddress host, [NotNullWhen(true)] out Uri? address)
    {
        address = text.Length <= CharactersMax && Uri.TryCreate(text, UriKind.Absolute, out Uri? parsed) && IsOn(parsed, host) ? parsed : null;
        return address is not null;
    }

    /// <summary>The same for an address that may be relative to <paramref name="start"/>.</summary>
    public static bool TryResolve(string text, Uri start, IPAddress host, [NotNullWhen(true)] out Uri? address)
    {
        // A leading slash is a path: on Unix the framework would take it for a file.
        address = text.Length is > 0 and <= CharactersMax && Uri.TryCreate(text, text[0] == '/' ? UriKind.Relative : UriKind.RelativeOrAbsolute, out Uri? parsed)
            && Uri.TryCreate(start, parsed, out Uri? absolute) && IsOn(absolute, host) ? absolute : null;
        return address is not null;
    }

    private static bool IsOn(Uri address, IPAddress host) =>
        address.Scheme == Uri.UriSchemeHttp && address.UserInfo.Length == 0 && IPAddress.TryParse(address.Host, out IPAddress? named) && named.Equals(host);
}
