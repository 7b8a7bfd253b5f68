using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// The end of a connection.
/// <code>
/// Open    --Close by this side-->  Closing   CLOSE is sent, and again for what still arrives, a bounded number of times
/// Open    --CLOSE received-->      Drained   nothing is sent any more
/// Open    --dead, idle, replaced-> Drained
/// Closing --CLOSE received, or three probe timeouts later--> Drained
/// </code>
/// </summary>
internal sealed class Closing
{
    private const int RepeatsMax = 4;

    private CloseFrame _frame;
    private TimeSpan _drainedAt = TimeSpan.MaxValue;
    private int _repeats;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Nothing is sent or expected any more: the owner may forget the connection.</summary>
    public bool IsDrained { get; private set; }

    public bool IsFramePending { get; private set; }

    public CloseFrame Frame => _frame;

    public TimeSpan NextTimeout => IsOpen || IsDrained ? TimeSpan.MaxValue : _drainedAt;

    /// <summary>Ends by a CLOSE of this side.</summary>
    public void Begin(CloseFrame frame, TimeSpan now, TimeSpan probeTimeout)
    {
        IsOpen = false;
        _frame = frame;
        IsFramePending = true;
        _drainedAt = now + (3 * probeTimeout);
    }

    /// <summary>Ends without a word.</summary>
    public void Drain()
    {
        IsOpen = false;
        IsDrained = true;
        IsFramePending = false;
    }

    public void FrameSent() => IsFramePending = false;

    /// <summary>The other side still sends: it has not heard yet.</summary>
    public void PacketArrived()
    {
        if (!IsDrained && !IsFramePending && _repeats < RepeatsMax)
        {
            _repeats++;
            IsFramePending = true;
        }
    }

    public void HandleTimeout(TimeSpan now)
    {
        if (!IsOpen && now >= _drainedAt)
        {
            Drain();
        }
    }
}
