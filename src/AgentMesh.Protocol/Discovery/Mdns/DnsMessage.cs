using System.Buffers.Binary;
using System.Text;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>
/// A message of RFC 1035 as multicast DNS uses it, read from bytes that may be hostile: names are followed backwards only, counts are bounded, and nothing throws.
/// </summary>
internal sealed record DnsMessage(ushort Id, bool IsResponse, bool IsTruncated, IReadOnlyList<DnsQuestion> Questions, IReadOnlyList<DnsRecord> Answers, IReadOnlyList<DnsRecord> Authorities, IReadOnlyList<DnsRecord> Additionals)
{
    /// <summary>RFC 6762, 17.</summary>
    public const int BytesMax = 9_000;

    public const int QuestionsMax = 64;
    public const int RecordsMax = 256;

    private const int HeaderBytes = 12;
    private const int NameBytesMax = 255;
    private const int LabelBytesMax = 63;
    private const ushort ClassIn = 1;
    private const ushort ClassAny = 255;
    private const ushort TopBit = 0x8000;

    /// <summary>Everything a response or a probe says, without the questions.</summary>
    public IEnumerable<DnsRecord> Records => Answers.Concat(Authorities).Concat(Additionals);

    /// <summary>Null for what is no message, another operation than a query, an error, or more than the bounds.</summary>
    public static DnsMessage? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is < HeaderBytes or > BytesMax)
        {
            return null;
        }

        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        int questionCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]), answerCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        int authorityCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]), additionalCount = BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]);
        bool isPlain = (flags & 0x7800) == 0 && (flags & 0x000f) == 0;
        if (!isPlain || questionCount > QuestionsMax || answerCount + authorityCount + additionalCount > RecordsMax)
        {
            return null;
        }

        int at = HeaderBytes;
        var questions = new List<DnsQuestion>();
        for (int i = 0; i < questionCount; i++)
        {
            if (!TryReadName(bytes, ref at, out string name) || bytes.Length - at < 4)
            {
                return null;
            }

            ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]), kind = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            at += 4;
            if ((kind & ~TopBit) is ClassIn or ClassAny)
            {
                questions.Add(new DnsQuestion(name, (DnsType)type, (kind & TopBit) != 0));
            }
        }

        return TryReadRecords(bytes, ref at, answerCount, out List<DnsRecord> answers)
            && TryReadRecords(bytes, ref at, authorityCount, out List<DnsRecord> authorities)
            && TryReadRecords(bytes, ref at, additionalCount, out List<DnsRecord> additionals)
            ? new DnsMessage(BinaryPrimitives.ReadUInt16BigEndian(bytes), (flags & 0x8000) != 0, (flags & 0x0200) != 0, questions, answers, authorities, additionals)
            : null;
    }

    private static bool TryReadRecords(ReadOnlySpan<byte> bytes, ref int at, int count, out List<DnsRecord> records)
    {
        records = [];
        for (int i = 0; i < count; i++)
        {
            if (!TryReadName(bytes, ref at, out string name) || bytes.Length - at < 10)
            {
                return false;
            }

            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            ushort kind = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            uint seconds = BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 4)..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 8)..]);
            at += 10;
            if (bytes.Length - at < length || !TryReadData(bytes, at, length, type, out byte[] data, out string? target, out ushort port))
            {
                return false;
            }

            at += length;
            if ((kind & ~TopBit) == ClassIn)
            {
                records.Add(new DnsRecord(name, type, (kind & TopBit) != 0, seconds, data, target, port));
            }
        }

        return true;
    }

    private static bool TryReadData(ReadOnlySpan<byte> bytes, int at, int length, DnsType type, out byte[] data, out string? target, out ushort port)
    {
        (data, target, port) = ([], null, 0);
        int end = at + length;
        switch (type)
        {
            case DnsType.Ptr:
                bool isPointer = TryReadName(bytes[..end], ref at, out string pointed) && at == end;
                (data, target) = (isPointer ? DnsWriter.NameBytes(pointed) : [], pointed);
                return isPointer;
            case DnsType.Srv:
                const int fixedBytes = 6;
                if (length <= fixedBytes)
                {
                    return false;
                }

                ReadOnlySpan<byte> head = bytes.Slice(at, fixedBytes);
                at += fixedBytes;
                bool isService = TryReadName(bytes[..end], ref at, out string host) && at == end;
                (data, target, port) = (isService ? [.. head, .. DnsWriter.NameBytes(host)] : [], host, BinaryPrimitives.ReadUInt16BigEndian(head[4..]));
                return isService;
            case DnsType.A when length != 4:
            case DnsType.Aaaa when length != 16:
                return false;
            default:
                data = bytes.Slice(at, length).ToArray();
                return true;
        }
    }

    // A pointer leads to a place before the labels that it ends, and the next one to a place before that: no loop is possible.
    private static bool TryReadName(ReadOnlySpan<byte> bytes, ref int at, out string name)
    {
        name = "";
        var text = new StringBuilder();
        int position = at, barrier = at, total = 0;
        bool hasJumped = false;
        while (true)
        {
            if (position >= bytes.Length)
            {
                return false;
            }

            int length = bytes[position];
            if (length == 0)
            {
                at = hasJumped ? at : position + 1;
                name = text.ToString();
                return true;
            }

            if (length >= 0xc0)
            {
                if (position + 1 >= bytes.Length)
                {
                    return false;
                }

                int to = ((length & 0x3f) << 8) | bytes[position + 1];
                at = hasJumped ? at : position + 2;
                hasJumped = true;
                if (to < HeaderBytes || to >= barrier)
                {
                    return false;
                }

                position = barrier = to;
                continue;
            }

            total += 1 + length;
            if (length > LabelBytesMax || total >= NameBytesMax || position + 1 + length > bytes.Length)
            {
                return false;
            }

            AppendLabel(text, bytes.Slice(position + 1, length));
            position += 1 + length;
        }
    }

    private static void AppendLabel(StringBuilder text, ReadOnlySpan<byte> label)
    {
        if (text.Length > 0)
        {
            text.Append('.');
        }

        foreach (byte each in label)
        {
            char c = (char)(each is >= (byte)'A' and <= (byte)'Z' ? each | 0x20 : each);
            if (c is '.' or '\\')
            {
                text.Append('\\');
            }

            text.Append(c);
        }
    }
}
