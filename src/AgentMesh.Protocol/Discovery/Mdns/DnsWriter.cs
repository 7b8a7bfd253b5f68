namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>Writes messages. Names are written out in full: what this device says is short.</summary>
internal static class DnsWriter
{
    private const ushort Response = 0x8400; // authoritative, as RFC 6762, 18.4 wants it
    private const ushort TopBit = 0x8000;
    private const ushort ClassIn = 1;

    /// <param name="authorities">What a probe intends to use.</param>
    public static byte[] Query(IReadOnlyList<DnsQuestion> questions, IReadOnlyList<DnsRecord> answers, IReadOnlyList<DnsRecord> authorities) =>
        Write(0, 0, questions, answers, authorities, [], isLegacy: false);

    public static byte[] Answer(IReadOnlyList<DnsRecord> answers, IReadOnlyList<DnsRecord> additionals) => Write(0, Response, [], answers, [], additionals, isLegacy: false);

    /// <summary>To a resolver that knows nothing of multicast (RFC 6762, 6.7): with its id and question, without the cache-flush bit, to be remembered for ten seconds at most.</summary>
    public static byte[] LegacyAnswer(ushort id, IReadOnlyList<DnsQuestion> questions, IReadOnlyList<DnsRecord> answers, IReadOnlyList<DnsRecord> additionals) =>
        Write(id, Response, questions, answers, [], additionals, isLegacy: true);

    public static byte[] NameBytes(string name)
    {
        var bytes = new List<byte>();
        var label = new List<byte>();
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] == '.')
            {
                Close();
            }
            else
            {
                i += name[i] == '\\' && i + 1 < name.Length ? 1 : 0;
                label.Add((byte)name[i]);
            }
        }

        Close();
        bytes.Add(0);
        return [.. bytes];

        void Close()
        {
            if (label.Count > 0)
            {
                bytes.Add((byte)label.Count);
                bytes.AddRange(label);
                label.Clear();
            }
        }
    }

    private static byte[] Write(
        ushort id, ushort flags, IReadOnlyList<DnsQuestion> questions, IReadOnlyList<DnsRecord> answers, IReadOnlyList<DnsRecord> authorities, IReadOnlyList<DnsRecord> additionals, bool isLegacy)
    {
        const uint legacySecondsMax = 10;
        using var bytes = new MemoryStream();
        foreach (int number in (int[])[id, flags, questions.Count, answers.Count, authorities.Count, additionals.Count])
        {
            Number16(bytes, (ushort)number);
        }

        foreach (DnsQuestion question in questions)
        {
            bytes.Write(NameBytes(question.Name));
            Number16(bytes, (ushort)question.Type);
            Number16(bytes, (ushort)(ClassIn | (question.WantsUnicast && !isLegacy ? TopBit : 0)));
        }

        foreach (DnsRecord record in answers.Concat(authorities).Concat(additionals))
        {
            // A probe intends; only an answer lets others forget what they knew (RFC 6762, 10.2).
            bool isFlush = record.IsUnique && !isLegacy && !authorities.Contains(record);
            bytes.Write(NameBytes(record.Name));
            Number16(bytes, (ushort)record.Type);
            Number16(bytes, (ushort)(ClassIn | (isFlush ? TopBit : 0)));
            uint seconds = isLegacy ? Math.Min(record.Seconds, legacySecondsMax) : record.Seconds;
            Number16(bytes, (ushort)(seconds >> 16));
            Number16(bytes, (ushort)seconds);
            Number16(bytes, (ushort)record.Data.Length);
            bytes.Write(record.Data);
        }

        return bytes.ToArray();
    }

    private static void Number16(MemoryStream bytes, ushort number)
    {
        bytes.WriteByte((byte)(number >> 8));
        bytes.WriteByte((byte)number);
    }
}
