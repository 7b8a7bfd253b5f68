using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Finds the greatest datagram that one path carries (RFC 8899) by packets that nothing depends on, and notices when it carries less than before.
/// <code>
/// Searching --all sizes tried--> Done --interval over--> Searching
/// any       --another network, or a black hole--> Searching, from the base or the floor on
/// </code>
/// </summary>
/// <param name="max">Nothing longer is tried.</param>
internal sealed class MtuSearch(MtuSettings settings, int max, ICongestionController congestion)
{
    /// <summary>A size is given up after so many packets of it were lost.</summary>
    public const int ProbesMax = 3;

    /// <summary>So many long packets in a row lost, and no whole one acknowledged that was sent later: it is the length.</summary>
    public const int LongLostMax = 8;

    /// <summary>Probe timeouts in a row after which long packets are not sent any more; one, where not even the base is known to pass.</summary>
    public const int TimeoutsMax = 2;

    // What links carry, less the headers of IPv4 or IPv6 and UDP: 576, 1124, 1280, 1400, 1420, 1460, 1492, 1500, 9000, loopback, and steps between.
    private static readonly int[] Sizes =
        [MtuSettings.Floor, 548, 1024, 1096, 1152, MtuSettings.Base, 1232, 1252, 1332, 1372, 1392, 1412, 1432, 1444, 1452, 1464, 1472, 4052, 8152, 8848, 8952, 8972, MtuSettings.SearchMax];

    // Tried first, from below; the others only between one that passed and one that did not.
    private static readonly int[] Jumps = [MtuSettings.Base, 1452, 8952, MtuSettings.SearchMax];

    private int _tooLong = int.MaxValue;
    private int _target = max > settings.Start ? settings.Start : 0;
    private int _probesLost;
    private ulong? _probe;
    private bool _isProven = max <= settings.Start;
    private TimeSpan _againAt = TimeSpan.MaxValue;
    private int _longLost;
    private ulong _wholeAcked;
    private ulong? _trialFrom;
    private int _trialPassed;

    /// <summary>Greatest datagram that is sent, but for probes.</summary>
    public int Current { get; private set; } = Math.Min(settings.Start, max);

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public TimeSpan NextTimeout => _againAt;

    /// <summary>The length of the packet that should be sent to see whether it arrives; 0 for none.</summary>
    public int ProbeBytes => _probe is null ? _target : 0;

    public void ProbeSent(ulong number) => _probe = number;

    public void Acked(SentPacket packet, TimeSpan now)
    {
        if (packet.Bytes >= Current)
        {
            _longLost = 0;
            _wholeAcked = Math.Max(_wholeAcked, packet.Number);
        }

        if (packet.Number >= _trialFrom)
        {
            _trialPassed = Math.Max(_trialPassed, packet.Bytes);
            _trialFrom = packet.Bytes >= Current ? null : _trialFrom;
        }

        bool isProbe = packet.IsMtuProbe && packet.Number == _probe;
        if (isProbe)
        {
            _probe = null;
            Use(Math.Max(Current, packet.Bytes));
        }

        bool isProof = !_isProven && packet.Bytes >= Math.Min(Current, MtuSettings.Base);
        _isProven |= isProof;
        if (isProbe || (isProof && _probe is null && _target > 0))
        {
            GoOn(now);
        }
    }

    /// <summary>A packet was lost. True when its length may have been the reason, so that it is no sign of congestion.</summary>
    public bool Lost(SentPacket packet, TimeSpan now)
    {
        if (packet.IsMtuProbe)
        {
            if (packet.Number == _probe)
            {
                _probe = null;
                if (++_probesLost >= ProbesMax)
                {
                    TooLong(_target, now);
                }
            }

            return true;
        }

        // A whole one that was sent later and arrived shows that it was not the length.
        if (packet.Bytes > Safe && packet.Number > _wholeAcked && ++_longLost >= LongLostMax)
        {
            FallBack(Safe);
        }

        // Of two that were sent together the short one arrived, and the long one went the way of those before.
        if (packet.Number >= _trialFrom && packet.Bytes > _trialPassed && _trialPassed > 0)
        {
            FallBack(_trialPassed >= MtuSettings.Base ? MtuSettings.Base : MtuSettings.Floor);
        }

        return false;
    }

    /// <summary>
    /// The length of a packet that goes out since nothing was answered for a probe timeout. The first is the shortest, and holds what the other side waits for most; the
    /// next is a longer one beside it, so that the fate of both tells whether it is the length.
    /// </summary>
    public int AfterTimeoutBytes(ulong number) =>
        _trialFrom is not { } from ? Current : number == from ? Math.Min(Current, MtuSettings.Floor) : Safe > MtuSettings.Floor ? Safe : Current;

    /// <summary>Nothing was answered for some probe timeouts.</summary>
    /// <param name="longestInFlight">Probes of this search left out.</param>
    /// <param name="next">The number of the next packet.</param>
    public void TimedOut(int timeoutsInRow, int longestInFlight, ulong next)
    {
        if ((timeoutsInRow >= TimeoutsMax || !_isProven) && longestInFlight > Safe)
        {
            FallBack(_isProven ? Safe : MtuSettings.Floor);
        }

        _trialFrom = longestInFlight > MtuSettings.Floor && Current > MtuSettings.Floor ? next : null;
        _trialPassed = 0;
    }

    /// <summary>The operating system does not even send so much.</summary>
    public void Refused(int bytes, TimeSpan now)
    {
        if (bytes == _target)
        {
            _probe = null;
            TooLong(bytes, now);
        }
        else if (bytes > Safe)
        {
            FallBack(Safe);
        }
    }

    /// <summary>Packets take this path again, or for the first time: what was on its way says nothing any more.</summary>
    public void Resume()
    {
        _trialFrom = null;
        if (_probe is not null || _longLost > 0)
        {
            SearchAgain();
        }
    }

    public void HandleTimeout(TimeSpan now)
    {
        if (_againAt <= now)
        {
            SearchAgain();
        }
    }

    // What is left when datagrams as long as now do not arrive.
    private int Safe => Current > MtuSettings.Base ? MtuSettings.Base : MtuSettings.Floor;

    private void FallBack(int safe)
    {
        if (safe < Current)
        {
            Use(safe);
            SearchAgain();
        }
    }

    private void SearchAgain()
    {
        _tooLong = int.MaxValue;
        _probesLost = 0;
        _probe = null;
        _longLost = 0;
        _trialFrom = null;
        _isProven = Current <= MtuSettings.Floor;
        _againAt = TimeSpan.MaxValue;
        _target = _isProven ? NextTarget() : Math.Min(Current, MtuSettings.Base);
    }

    private void TooLong(int bytes, TimeSpan now)
    {
        _tooLong = bytes;
        if (bytes <= Current)
        {
            Use(MtuSettings.Floor);
            _isProven = true;
        }

        GoOn(now);
    }

    private void GoOn(TimeSpan now)
    {
        _probesLost = 0;
        _target = NextTarget();
        _againAt = _target == 0 && Current < max ? now + settings.Interval : TimeSpan.MaxValue;
    }

    /// <summary>The next size to try; 0 when all were.</summary>
    private int NextTarget()
    {
        foreach (int jump in Jumps)
        {
            int target = Math.Min(jump, max);
            if (target > Current && target < _tooLong)
            {
                return target;
            }
        }

        int low = Array.FindIndex(Sizes, size => size > Current);
        int high = Array.FindLastIndex(Sizes, size => size < _tooLong && size <= max);
        return low < 0 || low > high ? 0 : Sizes[(low + high) / 2];
    }

    private void Use(int bytes)
    {
        if (bytes != Current)
        {
            Current = bytes;
            _longLost = 0;
            congestion.SetDatagramBytes(bytes);
        }
    }
}
