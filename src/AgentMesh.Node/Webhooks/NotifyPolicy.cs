using System.Net;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Webhooks;

/// <summary>To whom this device sends what is told of runs.</summary>
/// <remarks>
/// <code>
/// address      needs                                                              http without TLS
/// public       any entry that fits                                                agentmesh.cron.notify.http = on
/// private      an entry with the host's name, or with the address                 yes
/// link         an entry with the address                                          yes
/// nobody       never
/// </code>
/// </remarks>
internal sealed class NotifyPolicy(CronNotifySettings settings)
{
    private const string Key = "agentmesh.cron.notify.allow";

    private readonly NotifyAllow[] _allow = [.. settings.Allow.Select(text => NotifyAllow.TryParse(text, out NotifyAllow? allow) ? allow : throw new InvariantException($"{Key} was not checked"))];

    /// <summary>What is certain before the name is looked up: asked when a schedule is added.</summary>
    /// <exception cref="MeshException">AM0633.</exception>
    public void Check(Uri url)
    {
        if (IPAddress.TryParse(url.IdnHost, out IPAddress? address))
        {
            Check(url, address);
        }
        else if (IsLocalhost(url))
        {
            Check(url, IPAddress.Loopback);
        }
        else if (!_allow.Any(entry => entry.Names(url) || (entry.Network is not null && entry.IsFor(url))))
        {
            throw NotListed(url, url.IdnHost, url.IdnHost);
        }
        else if (url.Scheme == Uri.UriSchemeHttp && !settings.PlainHttp && !_allow.Any(entry => (entry.Names(url) && !entry.IsEverybody) || (entry.Network is not null && entry.IsFor(url))))
        {
            throw Plain(url);
        }
    }

    /// <summary>At each attempt, for the very address to which is connected: what a name means may have changed.</summary>
    /// <exception cref="MeshException">AM0633.</exception>
    public void Check(Uri url, IPAddress address)
    {
        AddressScope scope = AddressScopes.Of(address);
        bool isHeld = _allow.Any(entry => entry.Holds(url, address));
        if (scope == AddressScope.Nobody)
        {
            throw new MeshException(MeshErrors.NotifyNotAllowed, $"nothing is sent to {Shown(url, address)}: that is no address of a single receiver", "name another URL");
        }

        bool isListed = scope switch
        {
            AddressScope.Public => isHeld || _allow.Any(entry => entry.Names(url)),
            AddressScope.Private => isHeld || _allow.Any(entry => entry.Names(url) && !entry.IsEverybody),
            _ => isHeld,
        };
        if (!isListed)
        {
            throw NotListed(url, Shown(url, address), scope == AddressScope.Link || IPAddress.TryParse(url.IdnHost, out _) ? address.ToString() : url.IdnHost);
        }

        if (scope == AddressScope.Public && url.Scheme == Uri.UriSchemeHttp && !settings.PlainHttp)
        {
            throw Plain(url);
        }
    }

    private static bool IsLocalhost(Uri url) => url.IdnHost.TrimEnd('.') is var host && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase));

    private static string Shown(Uri url, IPAddress address) => IPAddress.TryParse(url.IdnHost, out _) ? address.ToString() : $"{url.IdnHost} ({address})";

    private static MeshException NotListed(Uri url, string what, string entry) => new(
        MeshErrors.NotifyNotAllowed,
        $"this device may not send results to {what}",
        $"if it shall, add \"{(entry.Contains(':', StringComparison.Ordinal) ? $"[{entry}]" : entry)}:{url.Port}\" to {Key} in its configuration and start the node again");

    private static MeshException Plain(Uri url) => new(
        MeshErrors.NotifyNotAllowed, $"http:// to {url.IdnHost} is readable by everybody on the way", $"write https://, or set agentmesh.cron.notify.http = on; a host of your own network may stand in {Key}");
}
