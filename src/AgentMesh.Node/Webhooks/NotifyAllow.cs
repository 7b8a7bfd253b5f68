using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace AgentMesh.Node.Webhooks;

/// <summary>One entry of <c>agentmesh.cron.notify.allow</c>: <c>*</c>, <c>HOST</c>, <c>*.DOMAIN</c>, an address or a network, each with <c>:PORT</c> or without.</summary>
/// <param name="Host">In lower case; with a star at its beginning for all below it, alone for all. Null for addresses.</param>
/// <param name="Port">Null for any.</param>
internal sealed record NotifyAllow(string? Host, IPNetwork? Network, int? Port)
{
    public const string Rule = "*, a host, *.domain, an address or a network such as 192.168.1.0/24, each with :port or without";

    public bool IsEverybody => Host == "*";

    public static bool TryParse(string text, [NotNullWhen(true)] out NotifyAllow? allow)
    {
        allow = null;
        string rest = text.Trim().ToLowerInvariant();
        int? port = null;
        if (rest.LastIndexOf(':') is > 0 and int colon && (rest[colon - 1] == ']' || rest.IndexOf(':', StringComparison.Ordinal) == colon))
        {
            if (!int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number is 0 or > ushort.MaxValue)
            {
                return false;
            }

            (port, rest) = (number, rest[..colon]);
        }

        rest = rest is ['[', .. var inner, ']'] ? inner : rest;
        if (IPAddress.TryParse(rest, out IPAddress? address))
        {
            allow = new NotifyAllow(null, new IPNetwork(address, address.GetAddressBytes().Length * 8), port);
        }
        else if (rest.Contains('/', StringComparison.Ordinal))
        {
            allow = IPNetwork.TryParse(rest, out IPNetwork network) ? new NotifyAllow(null, network, port) : null;
        }
        else if (rest == "*" || (rest.StartsWith("*.", StringComparison.Ordinal) ? IsHost(rest[2..]) : IsHost(rest)))
        {
            allow = new NotifyAllow(rest, null, port);
        }

        return allow is not null;
    }

    public bool IsFor(Uri url) => Port is null || Port == url.Port;

    /// <summary>By the name in the URL, whatever it means.</summary>
    public bool Names(Uri url) => IsFor(url) && Host is { } host && (IsEverybody
        || (host[0] == '*' ? url.IdnHost.EndsWith(host[1..], StringComparison.OrdinalIgnoreCase) : url.IdnHost.Equals(host, StringComparison.OrdinalIgnoreCase)));

    public bool Holds(Uri url, IPAddress address) => IsFor(url) && Network?.Contains(AddressScopes.Plain(address)) == true;

    private static bool IsHost(string text) => text.Length is > 0 and <= 253 && text.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
}
