using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Client;

/// <summary>Where a beacon is and which key proves it, written <c>host:port#key</c>; the key as 'agentmesh beacon' prints it. An IPv6 address stands in brackets.</summary>
public sealed record BeaconAddress(string Host, int Port, DevicePublicKey Key)
{
    // 32 bytes in base64url without padding.
    private const int KeyChars = 43;

    public static bool TryParse(string text, [NotNullWhen(true)] out BeaconAddress? address)
    {
        address = null;
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

        address = new BeaconAddress(host, port, new DevicePublicKey(key));
        return true;
    }

    /// <summary>Without the key, as people name it.</summary>
    public string Name => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    public override string ToString() => $"{Name}#{Key}";
}
