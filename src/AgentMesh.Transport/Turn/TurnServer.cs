using System.Diagnostics.CodeAnalysis;
using AgentMesh.Transport.Stun;

namespace AgentMesh.Transport.Turn;

/// <summary>A server that passes on datagrams for its users (RFC 8656), over UDP. The port is 3478 where none is named.</summary>
public sealed record TurnServer(string Host, int Port)
{
    private const string Scheme = "turn:";
    private const string Udp = "?transport=udp";

    /// <summary>turn:HOST, turn:HOST:PORT or turn:[IPv6]:PORT, also with <c>?transport=udp</c> behind it (RFC 7065).</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TurnServer? server)
    {
        server = null;
        if (!text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        string place = text[Scheme.Length..];
        place = place.EndsWith(Udp, StringComparison.OrdinalIgnoreCase) ? place[..^Udp.Length] : place;
        if (place.StartsWith("stun:", StringComparison.OrdinalIgnoreCase) || !StunServer.TryParse(place, out StunServer? parsed))
        {
            return false;
        }

        server = new TurnServer(parsed.Host, parsed.Port);
        return true;
    }

    public override string ToString() => new StunServer(Host, Port).ToString();
}
