using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>A device of the mesh, and the port that it is said to have at the address that said so.</summary>
internal readonly record struct MdnsSighting(DeviceId Device, ushort Port);

/// <summary>
/// Looks on one interface for the devices of a mesh (RFC 6762, 5.2): asks after 0, 1, 3, 7 s … up to once an hour, with what it knows, and asks for the port of a device that was named without one.
/// Remembers devices that it knows by key only, so no crowd on the network can fill it. Not thread-safe.
/// </summary>
internal sealed class MdnsBrowser
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastWait = TimeSpan.FromHours(1);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);

    // They fit into one datagram; what is left out is answered once more, by multicast.
    private const int KnownAnswersMax = 10;

    // Questions for ports that may wait; what is left out is said by itself again.
    private const int AsksMax = 16;

    private readonly Queue<MdnsTransmit> _outbox = new();
    private readonly Dictionary<string, (TimeSpan Until, uint Seconds)> _known = [];
    private TimeSpan _wait = FirstWait;
    private TimeSpan _askAt;

    public MdnsBrowser(IEntropy entropy, TimeSpan now) =>
        Next = now + new MdnsChance(entropy).Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(120));

    public TimeSpan Next { get; private set; }

    public int Known => _known.Count;

    public bool TryTransmit(out MdnsTransmit transmit) => _outbox.TryDequeue(out transmit);

    public void Tick(TimeSpan now)
    {
        if (now < Next)
        {
            return;
        }

        foreach (string gone in _known.Where(known => known.Value.Until <= now).Select(known => known.Key).ToArray())
        {
            _known.Remove(gone);
        }

        DnsRecord[] answers = [.. _known.Where(known => known.Value.Until - now > TimeSpan.FromSeconds(known.Value.Seconds / 2.0))
            .Select(known => DnsRecord.Pointer(MdnsNames.ServiceType, (uint)(known.Value.Until - now).TotalSeconds, known.Key)).Take(KnownAnswersMax)];
        _outbox.Enqueue(new MdnsTransmit(null, DnsWriter.Query([new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false)], answers, [])));
        Next = now + _wait;
        _wait = _wait * 2 < LastWait ? _wait * 2 : LastWait;
    }

    /// <param name="deviceOf">The device with this hash; null for one that is not known.</param>
    public IReadOnlyList<MdnsSighting> Handle(DnsMessage message, Func<string, DeviceId?> deviceOf, TimeSpan now)
    {
        if (!message.IsResponse)
        {
            return [];
        }

        var found = new List<MdnsSighting>();
        foreach (DnsRecord record in message.Records)
        {
            switch (record.Type)
            {
                case DnsType.Srv when record is { Seconds: > 0, Port: not 0 } && MdnsNames.HashIn(record.Name) is { } hash && deviceOf(hash) is { } device:
                    found.Add(new MdnsSighting(device, record.Port));
                    break;
                case DnsType.Ptr when record.Name == MdnsNames.ServiceType && MdnsNames.HashIn(record.Target!) is { } hash && deviceOf(hash) is not null:
                    Remember(record, message, now);
                    break;
                default:
                    break;
            }
        }

        return [.. found.Distinct()];
    }

    private void Remember(DnsRecord pointer, DnsMessage message, TimeSpan now)
    {
        string instance = pointer.Target!;
        if (pointer.Seconds == 0)
        {
            _known.Remove(instance);
            return;
        }

        // A name may carry any suffix, so their number is bounded too.
        if (_known.ContainsKey(instance) || _known.Count < 256)
        {
            _known[instance] = (now + TimeSpan.FromSeconds(Math.Min(pointer.Seconds, MdnsService.OtherSeconds)), Math.Min(pointer.Seconds, MdnsService.OtherSeconds));
        }

        if (now >= _askAt && _outbox.Count < AsksMax && !message.Records.Any(record => record.Type == DnsType.Srv && record.Name == instance))
        {
            _askAt = now + AskEvery;
            _outbox.Enqueue(new MdnsTransmit(null, DnsWriter.Query([new DnsQuestion(instance, DnsType.Srv, false)], [], [])));
        }
    }
}
