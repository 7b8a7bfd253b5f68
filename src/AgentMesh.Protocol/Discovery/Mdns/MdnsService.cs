using System.Net;
using System.Text;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>What a device says of itself on one interface.</summary>
/// <param name="Label">The hash; a suffix is added while it is taken.</param>
/// <param name="Addresses">Of the interface.</param>
/// <param name="DeviceName">Null where names are not announced.</param>
internal sealed record MdnsService(string Label, ushort Port, IReadOnlyList<IPAddress> Addresses, string? DeviceName)
{
    // RFC 6762, 10: records with a host's name or address live 120 s, others 75 minutes.
    public const uint HostSeconds = 120;
    public const uint OtherSeconds = 4_500;

    private const int EntryBytesMax = 255;

    /// <param name="suffix">0 for none.</param>
    public MdnsRecords Records(int suffix)
    {
        string label = suffix == 0 ? Label : $"{Label}-{suffix}";
        string instance = $"{label}.{MdnsNames.ServiceType}", host = $"agentmesh-{label}.local";
        var entries = new List<byte[]> { "v=1"u8.ToArray() };
        if (DeviceName is not null)
        {
            byte[] name = Encoding.UTF8.GetBytes("n=" + DeviceName);
            entries.Add(name.Length <= EntryBytesMax ? name : name[..EntryBytesMax]);
        }

        return new MdnsRecords(
            instance,
            host,
            [
                DnsRecord.Pointer(MdnsNames.AllTypes, OtherSeconds, MdnsNames.ServiceType),
                DnsRecord.Pointer(MdnsNames.ServiceType, OtherSeconds, instance),
                DnsRecord.Service(instance, HostSeconds, Port, host),
                DnsRecord.Text(instance, OtherSeconds, entries),
                .. Addresses.Select(address => DnsRecord.Address(host, HostSeconds, address)),
            ]);
    }
}

/// <param name="Instance">Name of the service; nobody else has it.</param>
/// <param name="Host">Name of the device; nobody else has it.</param>
internal sealed record MdnsRecords(string Instance, string Host, IReadOnlyList<DnsRecord> All)
{
    public IReadOnlyList<DnsRecord> Unique { get; } = [.. All.Where(record => record.IsUnique)];

    public bool IsOurs(string name) => name == Instance || name == Host;
}
