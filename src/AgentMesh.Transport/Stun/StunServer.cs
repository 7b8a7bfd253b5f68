using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace AgentMesh.Transport.Stun;

/// <summary>A server that tells at which address it sees who asks. The port is 3478 where none is named.</summary>
public sealed record StunServer(string Host, int Port)
{
    internal const int DefaultPort = 3478;
    private const string Scheme = "stun:";

    /// <summary>HOST, HOST:PORT or [IPv6]:PORT, also with <c>stun:</c> before it (RFC 7064).</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out StunServer? server) => TryParse(text, DefaultPort, out server);

    internal static bool TryParse(string text, int defaultPort, [NotNullWhen(true)] out StunServer? server)
    {
        server = null;
        string place = text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..] : text;
        if (IPAddress.TryParse(place.Trim('[', ']'), out IPAddress? address))
        {
            server = new StunServer(address.ToString(), defaultPort);
            return true;
        }

        int colon = place.LastIndexOf(':'), port = defaultPort;
        string host = colon < 0 ? place : place[..colon].Trim('[', ']');
        if ((colon >= 0 && !(int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue)) || Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            return false;
        }

        server = new StunServer(host, port);
        return true;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>What came of the last question to a server.</summary>
/// <param name="SeenAt">Null without an answer.</param>
/// <param name="Problem">Null while there is an answer, or may be.</param>
public sealed record StunObservation(StunServer Server, IPEndPoint? SeenAt, string? Problem);
