using AgentMesh.Errors;

namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// The packets sent on one path from the oldest unsettled one on, by number. Grows with what is in flight up to <see cref="CapacityMax"/>; when it is full nothing is
/// sent until something is acknowledged or lost.
/// </summary>
internal sealed class SentPacketRing
{
    public const int CapacityMax = 65_536;
    private const int CapacityMin = 16;

    private SentPacket?[] _ring = new SentPacket?[CapacityMin];

    /// <summary>The oldest number that is remembered.</summary>
    public ulong First { get; private set; }

    /// <summary>The number that the next packet gets.</summary>
    public ulong Next { get; private set; }

    public bool IsFull => Next - First >= CapacityMax;

    /// <summary>The packet to be built next, empty. It is sent when <see cref="Commit"/> is called, and offered again otherwise.</summary>
    public SentPacket Draft()
    {
        Invariant.Check(!IsFull);
        if (Next - First == (ulong)_ring.Length)
        {
            Grow();
        }

        SentPacket packet = _ring[IndexOf(Next)] ??= new SentPacket();
        packet.Reset(Next);
        return packet;
    }

    public void Commit(SentPacket draft)
    {
        Invariant.Check(draft.Number == Next);
        Next++;
    }

    public SentPacket this[ulong number] => _ring[IndexOf(number)]!;

    /// <summary>Forgets settled packets, and lost ones that were sent before <paramref name="lostBefore"/>, from the oldest on.</summary>
    public void Trim(TimeSpan lostBefore)
    {
        while (First < Next)
        {
            SentPacket packet = this[First];
            if (packet.State == SentPacketState.Outstanding || (packet.State == SentPacketState.Lost && packet.SentAt > lostBefore))
            {
                break;
            }

            packet.Forget();
            First++;
        }
    }

    private int IndexOf(ulong number) => (int)(number & (ulong)(_ring.Length - 1));

    private void Grow()
    {
        var ring = new SentPacket?[_ring.Length * 2];
        for (ulong number = First; number < Next; number++)
        {
            ring[(int)(number & (ulong)(ring.Length - 1))] = this[number];
        }

        _ring = ring;
    }
}
