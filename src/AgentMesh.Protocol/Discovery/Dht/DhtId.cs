namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>160 bits: of a node, or of what is looked for. Order and nearness as BEP 5 has them.</summary>
internal readonly struct DhtId : IEquatable<DhtId>
{
    public const int Bytes = 20;

    private readonly byte[]? _bytes;

    public DhtId(ReadOnlySpan<byte> bytes) => _bytes = bytes[..Bytes].ToArray();

    private ReadOnlySpan<byte> Span => _bytes ?? new byte[Bytes];

    public byte[] ToArray() => Span.ToArray();

    /// <summary>Below zero when <paramref name="a"/> is nearer to this than <paramref name="b"/>.</summary>
    public int CompareNearness(DhtId a, DhtId b)
    {
        ReadOnlySpan<byte> own = Span, one = a.Span, two = b.Span;
        for (int i = 0; i < Bytes; i++)
        {
            int order = (own[i] ^ one[i]).CompareTo(own[i] ^ two[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }

    public bool Equals(DhtId other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is DhtId other && Equals(other);

    public override int GetHashCode() => BitConverter.ToInt32(Span);

    public override string ToString() => Convert.ToHexStringLower(Span);
}
