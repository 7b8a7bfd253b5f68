using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace AgentMesh.Protocol.Gateways.Upnp;

/// <summary>A service of a gateway that maps ports.</summary>
/// <param name="Type">Its full name, which calls repeat.</param>
/// <param name="Control">Where calls are posted to; on the host that described it.</param>
public sealed record IgdService(string Type, Uri Control)
{
    /// <summary>AddAnyPortMapping is of WANIPConnection version 2.</summary>
    public bool HasAddAny => Type == IgdDescription.Types[0];
}

/// <summary>The description of a gateway device (UPnP Device Architecture 1.1, section 2), of which only the control address of one service is wanted.</summary>
public static class IgdDescription
{
    internal static IReadOnlyList<string> Types { get; } =
    [
        "urn:schemas-upnp-org:service:WANIPConnection:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    /// <summary>False when it is no description, too large, has no such service, or sends calls to another host.</summary>
    /// <param name="location">Where it was read.</param>
    /// <param name="host">Who answered.</param>
    public static bool TryRead(byte[] document, Uri location, IPAddress host, [NotNullWhen(true)] out IgdService? service)
    {
        string? type = null, control = null, start = null, bestControl = null;
        int best = int.MaxValue;
        service = null;
        bool isXml = UpnpXml.TryWalk(
            document,
            opened =>
            {
                if (opened == "service")
                {
                    (type, control) = (null, null);
                }
            },
            (closed, text) =>
            {
                switch (closed)
                {
                    case "URLBase":
                        start = text;
                        break;
                    case "serviceType":
                        type = text;
                        break;
                    case "controlURL":
                        control = text;
                        break;
                    case "service" when type is not null && control is not null:
                        int rank = IndexOf(type);
                        if (rank >= 0 && rank < best)
                        {
                            (best, bestControl) = (rank, control);
                        }

                        break;
                }
            });
        if (!isXml || bestControl is null)
        {
            return false;
        }

        Uri origin = start is { Length: > 0 } && UpnpAddress.TryParse(start, host, out Uri? named) ? named : location;
        if (!UpnpAddress.TryResolve(bestControl, origin, host, out Uri? address))
        {
            return false;
        }

        service = new IgdService(Types[best], address);
        return true;
    }

    private static int IndexOf(string type)
    {
        for (int i = 0; i < Types.Count; i++)
        {
            if (Types[i] == type)
            {
                return i;
            }
        }

        return -1;
    }
}
