namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Which packet numbers of one path were accepted (RFC 6479). Numbers further than <see cref="Size"/> behind the greatest are refused unseen.
/// </summary>
internal sealed class ReplayWindow
{
    private const int WordBits = 64;
    private const int Words = 64;

    /// <summary>One word less than the ring holds: the word being filled is cleared as a whole.</summary>
    public const int Size = (Words - 1) * WordBits;

    private readonly ulong[] _ring = new ulong[Words];
    private ulong _next;

    /// <summary>The greatest number accepted so far plus one; what a truncated number is expanded against.</summary>
    public ulong Expected => _next;

    public bool IsNew(ulong packetNumber)
    {
        if (packetNumber >= _next)
        {
            return packetNumber != ulong.MaxValue; // its successor could not be expressed
        }

        return _next - 1 - packetNumber < Size && (_ring[WordOf(packetNumber)] & BitOf(packetNumber)) == 0;
    }

    /// <summary>Only after <see cref="IsNew"/> and only for authentic packets.</summary>
    public void Accept(ulong packetNumber)
    {
        if (packetNumber >= _next)
        {
            ulong newest = packetNumber / WordBits;
            ulong previous = _next == 0 ? 0 : (_next - 1) / WordBits;
            ulong steps = Math.Min(newest - previous, Words);
            for (ulong i = 1; i <= steps; i++)
            {
                _ring[(previous + i) % Words] = 0;
            }

            _next = packetNumber + 1;
        }

        _ring[WordOf(packetNumber)] |= BitOf(packetNumber);
    }

    private static int WordOf(ulong packetNumber) => (int)(packetNumber / WordBits % Words);

    private static ulong BitOf(ulong packetNumber) => 1UL << (int)(packetNumber % WordBits);
}
