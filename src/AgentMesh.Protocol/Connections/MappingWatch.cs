using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// How long the NAT before this device keeps the port that the other side sees, learned from what the other side sees (<see cref="ObservedAddressFrame"/>). A port that was lost
/// after silence tells how long it may be left alone; two that were lost at about the same age tell how old any may become: then another one is wanted before its time is over. Devices that always have something to say to each
/// other lose no port after silence: then it counts what a search has found (<see cref="NetworkIdle"/>).
/// </summary>
internal sealed class MappingWatch(TimeSpan now)
{
    /// <summary>Ports that live shorter are lost by something else, such as a device that changes its network.</summary>
    public static readonly TimeSpan AbsoluteMin = TimeSpan.FromSeconds(20);

    public static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(4);

    /// <summary>For one mapping.</summary>
    public const int TriesMax = 3;

    /// <summary>After so many, one mapping is left to its end, to see whether it has one.</summary>
    public const int MovesMax = 16;

    private static readonly TimeSpan TryEvery = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan SilenceIsRecent = TimeSpan.FromSeconds(3);

    private (ushort Socket, IPAddress? Host) _of;
    private TimeSpan _bornAt = now;
    private TimeSpan _sentAt = now;
    private TimeSpan _silence;
    private TimeSpan _silenceEndedAt = TimeSpan.MinValue;
    private TimeSpan _tryAt = TimeSpan.MinValue;
    private TimeSpan? _lastAge;
    private TimeSpan? _idle;
    private bool _isPublic;
    private ulong? _sequence;
    private int _tries;
    private int _moves;

    /// <summary>As the other side sees this one; null where it does not tell.</summary>
    public IPEndPoint? Seen { get; private set; }

    /// <summary>Where the other side said last that it sees this one, whichever way packets go since then; null where it does not tell.</summary>
    public IPEndPoint? LastSeen { get; private set; }

    /// <summary>A port that sends nothing for so long may be lost; null where none is known to be.</summary>
    public TimeSpan? Idle => _isPublic && NetworkIdle is { } network && !(_idle < network) ? network : _idle;

    /// <summary>What is known from elsewhere of the NAT before this device: it counts for addresses of the internet, not for those of a local network.</summary>
    public TimeSpan? NetworkIdle { get; set; }

    /// <summary>A port of this age is lost; null where none was, or for different reasons.</summary>
    public TimeSpan? Absolute { get; private set; }

    /// <summary>When another port is wanted.</summary>
    public TimeSpan MoveAt
    {
        get
        {
            if (Absolute is null || _moves >= MovesMax || (_tries >= TriesMax && !IsFresh))
            {
                return TimeSpan.MaxValue;
            }

            return IsFresh ? DueAt : _tryAt;
        }
    }

    private TimeSpan DueAt => _bornAt + (Absolute!.Value * 3 / 4);

    // No socket was asked for since it was time to leave this port. (One that was taken and did not last leads back to the port before.)
    private bool IsFresh => DueAt > _tryAt;

    public void Sent(TimeSpan at)
    {
        if (at - _sentAt >= SilenceMin)
        {
            (_silence, _silenceEndedAt) = (at - _sentAt, at);
        }

        _sentAt = at;
    }

    /// <summary>Another port was asked for.</summary>
    public void Tried(TimeSpan at)
    {
        _tries = IsFresh ? 1 : _tries + 1;
        _tryAt = at + TryEvery;
    }

    /// <summary>Packets go here from now on.</summary>
    /// <param name="bornAt">When the first packet went this way.</param>
    public void Moved(IPEndPoint remote, TimeSpan bornAt)
    {
        if (RelayAddress.IsRelay(remote))
        {
            return; // the mapping of before may still be there
        }

        SpareAddress.TryRead(remote, out ushort socket, out IPEndPoint plain);
        if (socket == _of.Socket && plain.Address.Equals(_of.Host))
        {
            return;
        }

        _moves += socket == _of.Socket ? 0 : 1;
        _of = (socket, plain.Address);
        _isPublic = plain.Address.AddressFamily == AddressFamily.InterNetwork && GatewayAddresses.KindOf(plain.Address) == GatewayAddressKind.Public;
        Seen = null;
        _bornAt = bornAt;
    }

    public void Observed(in ObservedAddressFrame frame, TimeSpan at)
    {
        if (frame.Sequence < _sequence)
        {
            return;
        }

        _sequence = frame.Sequence;
        IPEndPoint? before = Seen;
        Seen = LastSeen = frame.Address;
        if (before is null || before.Equals(frame.Address))
        {
            return;
        }

        if (_silence > TimeSpan.Zero && at - _silenceEndedAt <= SilenceIsRecent)
        {
            _idle = _idle < _silence ? _idle : _silence;
        }
        else
        {
            Aged(at - _bornAt);
        }

        _bornAt = at;
    }

    private void Aged(TimeSpan age)
    {
        TimeSpan? last = _lastAge;
        _lastAge = age;
        _moves = 0;
        bool isAlike = last is { } other && age >= AbsoluteMin && age < other * 5 / 4 && other < age * 5 / 4;
        if (isAlike)
        {
            Absolute = age < last ? age : last;
        }
        else if (age > Absolute * 5 / 4)
        {
            Absolute = null; // it is not what it was; a port that ended sooner may have been older than this connection knows
        }
    }
}
