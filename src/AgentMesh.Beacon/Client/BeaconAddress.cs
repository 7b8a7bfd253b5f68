using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Client;

/// <summary>
/// Where a beacon is and which key proves it, written <c>host:port#key</c>; the key as 'agentmesh beacon' prints it. An IPv6 address stands in brackets. Behind a comma may
/// stand where its WebSocket is, <c>wss://host:port/path</c> (or ws), when it is not at port 443 of the same host; or <c>udp</c> when there is none.
/// </summary>
public sealed record BeaconAddress(string Host, int Port, DevicePublicKey Key)
{
    private const string UdpOnly = "udp";
    private const int UriCharsMax = 200;
    // 32 bytes in base64url without padding.
    private const int KeyChars = 43;

    public static bool TryParse(string text, [NotNullWhen(true)] out BeaconAddress? address)
    {
        address = null;
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        string? further = comma < 0 ? null : text[(comma + 1)..];
        text = comma < 0 ? text : text[..comma];
        int hash = text.IndexOf('#', StringComparison.Ordinal);
        int colon = hash < 0 ? -1 : text.LastIndexOf(':', hash);
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1, hash - colon - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is 0 or > ushort.MaxValue)
        {
            return false;
        }

        string host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        Span<byte> key = stackalloc byte[DevicePublicKey.Size];
        ReadOnlySpan<char> keyText = text.AsSpan(hash + 1);
        if (host.Length == 0 || keyText.Length != KeyChars || Base64Url.DecodeFromChars(keyText, key, out _, out int length) != OperationStatus.Done || length != key.Length)
        {
            return false;
        }

        var plain = new BeaconAddress(host, port, new DevicePublicKey(key));
        if (further is null)
        {
            address = plain;
        }
        else if (further == UdpOnly)
        {
            address = plain with { WebSocket = null };
        }
        else if (further.Length <= UriCharsMax && Uri.TryCreate(further, UriKind.Absolute, out Uri? uri) && uri.Scheme is "wss" or "ws" && uri.UserInfo.Length + uri.Fragment.Length == 0)
        {
            address = plain with { WebSocket = uri };
        }

        return address is not null;
    }

    /// <summary>Its WebSocket, for networks that let no UDP through; null where it has none.</summary>
    public Uri? WebSocket { get; init; } = Usual(Host);

    /// <summary>Without the key, as people name it.</summary>
    public string Name => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    public override string ToString() => $"{Name}#{Key}{(WebSocket is null ? $",{UdpOnly}" : WebSocket.Equals(Usual(Host)) ? "" : $",{WebSocket}")}";

    // A name that is no part of a URI has no usual WebSocket.
    private static Uri? Usual(string host) => Uri.TryCreate($"wss://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}/", UriKind.Absolute, out Uri? uri) ? uri : null;
}
