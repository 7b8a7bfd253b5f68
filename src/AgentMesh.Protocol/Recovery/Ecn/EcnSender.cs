using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// Compares what the other side says about marks with what was sent (RFC 9000, section 13.4.2.1). One for a connection, since its counts are; what they show is noted at the path in use.
/// </summary>
internal sealed class EcnSender(EcnPath path)
{
    private EcnPath _path = path;
    private EcnCountsFrame _told;
    private ulong _since;

    // Packets that asked and that no count has told of yet: it cannot tell of more.
    private ulong _uncounted;

    // Of the ACK frame at hand.
    private int _newlyAcked;
    private bool _hasOthers;

    /// <summary>Packets of this side that arrived marked, since the beginning.</summary>
    public ulong Marked => _told.Ce;

    public EcnPath Path => _path;

    /// <summary>Packets take another way from now on.</summary>
    /// <param name="next">The number that the next packet gets.</param>
    public void Use(EcnPath other, ulong next) => (_path, _since) = (other, next);

    public void Sent(SentPacket packet)
    {
        if (packet.IsEct)
        {
            _uncounted++;
            if (packet.IsAckEliciting)
            {
                _path.Sent();
            }
        }
    }

    public void Lost(SentPacket packet)
    {
        if (packet.IsEct && packet.Number >= _since)
        {
            _path.Lost(packet.Number);
        }
    }

    /// <inheritdoc cref="EcnPath.TimedOut"/>
    public void TimedOut(ulong next) => _path.TimedOut(next);

    /// <summary>One of the packets that an ACK frame acknowledged for the first time; <see cref="AckDone"/> follows.</summary>
    public void Acked(SentPacket packet)
    {
        if (!packet.IsEct)
        {
            return;
        }

        if (packet.Number < _since)
        {
            _hasOthers = true;
            return;
        }

        _newlyAcked++;
        _path.Acked(packet.Number);
    }

    /// <param name="told">The counts in front of the ACK frame; null: there were none.</param>
    /// <param name="isNewest">It acknowledged a greater number than all before: late ones have counts of before.</param>
    /// <returns>How many more packets of this path arrived marked.</returns>
    public ulong AckDone(EcnCountsFrame? told, bool isNewest)
    {
        (int newlyAcked, bool hasOthers) = (_newlyAcked, _hasOthers);
        (_newlyAcked, _hasOthers) = (0, false);
        if (!isNewest)
        {
            return 0;
        }

        if (told is not { } now)
        {
            if (newlyAcked > 0)
            {
                _path.Fail();
            }

            return 0;
        }

        EcnCountsFrame before = _told;
        if (now.Ect0 < before.Ect0 || now.Ect1 < before.Ect1 || now.Ce < before.Ce)
        {
            _path.Fail();
            return 0;
        }

        _told = now;
        (ulong unmarked, ulong marked) = (now.Ect0 - before.Ect0, now.Ce - before.Ce);
        ulong counted = unmarked + marked;
        bool isTooMuch = counted > _uncounted || now.Ect1 > before.Ect1;
        _uncounted -= Math.Min(counted, _uncounted);

        // What becomes of packets on a path that was left says nothing about this one.
        if (hasOthers)
        {
            return 0;
        }

        if (isTooMuch || counted < (ulong)newlyAcked)
        {
            _path.Fail();
            return 0;
        }

        _path.Validated(newlyAcked, unmarked);
        return _path.State != EcnState.Failed && newlyAcked > 0 ? marked : 0;
    }
}
