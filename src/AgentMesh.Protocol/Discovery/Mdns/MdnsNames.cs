using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>How devices are called in mDNS (mdns-v1.md): by a hash that changes every day and that only who knows the public key can tie to a device.</summary>
public static class MdnsNames
{
    public const string ServiceType = "_agentmesh._udp.local";

    /// <summary>RFC 6763, 9: where all types of services are listed.</summary>
    internal const string AllTypes = "_services._dns-sd._udp.local";

    private const int HashBytes = 10;

    /// <summary>Days since 1970, UTC.</summary>
    public static long DayOf(DateTimeOffset wall) => wall.ToUnixTimeSeconds() / 86_400;

    /// <summary>The first label of the service instance of a device: 20 characters.</summary>
    public static string InstanceOf(DevicePublicKey key, long day)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, day);
        byte[] hash = HMACSHA256.HashData(SHA256.HashData((byte[])[.. "agentmesh mdns instance 1"u8, .. key.Span]), number);
        return Convert.ToHexStringLower(hash.AsSpan(0, HashBytes));
    }

    /// <summary>The hash in the name of an instance of this service type; null for another name. What follows a hyphen was added because the name was taken.</summary>
    internal static string? HashIn(string name)
    {
        if (!name.EndsWith("." + ServiceType, StringComparison.Ordinal))
        {
            return null;
        }

        string label = name[..^(ServiceType.Length + 1)].Split('-')[0];
        return label.Length == HashBytes * 2 && label.All(char.IsAsciiHexDigitLower) ? label : null;
    }
}
