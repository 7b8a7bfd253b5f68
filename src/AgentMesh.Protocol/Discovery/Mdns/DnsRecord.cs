using System.Net;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>The types that are understood (RFC 1035, 2782, 3596); others pass as bytes.</summary>
internal enum DnsType : ushort
{
    A = 1,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Any = 255,
}

/// <param name="WantsUnicast">The top bit of the class (RFC 6762, 5.4).</param>
internal readonly record struct DnsQuestion(string Name, DnsType Type, bool WantsUnicast);

/// <summary>One resource record of class IN.</summary>
/// <param name="Name">Lower case, labels joined by dots; a dot or backslash inside a label stands behind a backslash.</param>
/// <param name="IsUnique">The cache-flush bit (RFC 6762, 10.2).</param>
/// <param name="Seconds">Time to live; 0 says goodbye.</param>
/// <param name="Data">As on the wire, names in it written out in full.</param>
/// <param name="Target">Of PTR and SRV.</param>
/// <param name="Port">Of SRV.</param>
internal sealed record DnsRecord(string Name, DnsType Type, bool IsUnique, uint Seconds, byte[] Data, string? Target = null, ushort Port = 0)
{
    public static DnsRecord Pointer(string name, uint seconds, string target) => new(name, DnsType.Ptr, false, seconds, DnsWriter.NameBytes(target), target);

    public static DnsRecord Service(string name, uint seconds, ushort port, string target) =>
        new(name, DnsType.Srv, true, seconds, [0, 0, 0, 0, (byte)(port >> 8), (byte)port, .. DnsWriter.NameBytes(target)], target, port);

    /// <param name="entries">Each at most 255 bytes.</param>
    public static DnsRecord Text(string name, uint seconds, IEnumerable<byte[]> entries) => new(name, DnsType.Txt, true, seconds, [.. entries.SelectMany(entry => (byte[])[(byte)entry.Length, .. entry])]);

    public static DnsRecord Address(string name, uint seconds, IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        return new DnsRecord(name, bytes.Length == 4 ? DnsType.A : DnsType.Aaaa, true, seconds, bytes);
    }

    /// <summary>The same but for the time to live.</summary>
    public bool IsSameAs(DnsRecord other) => Type == other.Type && string.Equals(Name, other.Name, StringComparison.Ordinal) && (
        Target is not null && other.Target is not null ? string.Equals(Target, other.Target, StringComparison.Ordinal) && Port == other.Port : Data.AsSpan().SequenceEqual(other.Data));
}
