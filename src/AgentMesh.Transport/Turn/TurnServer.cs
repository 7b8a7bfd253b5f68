using System.Diagnostics.CodeAnalysis;
using System.Net;
using AgentMesh.Transport.Stun;

namespace AgentMesh.Transport.Turn;

/// <summary>How a device speaks with a TURN server. What the server sends on to others is UDP in any case.</summary>
public enum TurnTransport
{
    Udp,
    Tcp,
    Tls,
}

/// <summary>A server that passes on datagrams for its users (RFC 8656). The port is 3478 where none is named, over TLS 5349.</summary>
public sealed record TurnServer(string Host, int Port, TurnTransport Transport = TurnTransport.Udp)
{
    private const string Scheme = "turn:";
    private const string SecureScheme = "turns:";
    private const string Udp = "?transport=udp";
    private const string Tcp = "?transport=tcp";
    private const int SecurePort = 5349;

    /// <summary>A file in PEM with the authorities, or the certificate itself, that TLS trusts instead of those of this machine; null: those of this machine.</summary>
    public string? CaFile { get; init; }

    /// <summary>turn:HOST[:PORT] over UDP, with <c>?transport=tcp</c> behind it over TCP; turns:HOST[:PORT] over TLS (RFC 7065). DTLS is not spoken.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TurnServer? server)
    {
        server = null;
        bool isSecure = text.StartsWith(SecureScheme, StringComparison.OrdinalIgnoreCase);
        if (!isSecure && !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        string place = text[(isSecure ? SecureScheme : Scheme).Length..];
        bool isTcp = place.EndsWith(Tcp, StringComparison.OrdinalIgnoreCase), isUdp = place.EndsWith(Udp, StringComparison.OrdinalIgnoreCase);
        place = isTcp ? place[..^Tcp.Length] : isUdp ? place[..^Udp.Length] : place;
        if ((isSecure && isUdp) || place.StartsWith("stun:", StringComparison.OrdinalIgnoreCase) || !StunServer.TryParse(place, isSecure ? SecurePort : StunServer.DefaultPort, out StunServer? parsed))
        {
            return false;
        }

        server = new TurnServer(parsed.Host, parsed.Port, isSecure ? TurnTransport.Tls : isTcp ? TurnTransport.Tcp : TurnTransport.Udp);
        return true;
    }

    /// <summary>HOST:PORT, and behind it how it is spoken with where that is not UDP.</summary>
    public override string ToString() => new StunServer(Host, Port) + Transport switch
    {
        TurnTransport.Tcp => "/tcp",
        TurnTransport.Tls => "/tls",
        _ => "",
    };
}
