using AgentMesh.Protocol.Connections;

namespace AgentMesh.Protocol.Streams;

/// <summary>Allowances of one class of streams on one connection, in bytes and in streams, both ways.</summary>
internal sealed class ClassState(StreamClass streamClass, ConnectionSettings local, TransportParameters remote)
{
    private ulong _received;
    private ulong _remoteDone;

    public StreamClass Class { get; } = streamClass;

    /// <summary>Bytes that the other side lets this side send.</summary>
    public ulong SendLimit { get; private set; } = remote.ClassWindow;

    public ulong Sent { get; private set; }

    public ulong Credit => SendLimit - Sent;

    public ReceiveWindow Window { get; } = new((ulong)local.ClassWindow, (ulong)local.ClassWindowMax);

    /// <summary>Streams opened by this side so far, and how many the other side allows.</summary>
    public ulong LocalOpened { get; set; }

    public ulong LocalLimit { get; private set; } = remote.StreamsPerClass;

    public ulong RemoteOpened { get; set; }

    public ulong RemoteLimit { get; private set; } = (ulong)local.StreamsPerClassMax;

    public bool IsMaxDataPending { get; set; }

    public bool IsMaxStreamsPending { get; set; }

    public bool HasPending => IsMaxDataPending || IsMaxStreamsPending;

    public void CountSent(int bytes) => Sent += (ulong)bytes;

    public bool RaiseSendLimit(ulong limit)
    {
        bool raised = limit > SendLimit;
        SendLimit = Math.Max(limit, SendLimit);
        return raised;
    }

    public bool RaiseLocalLimit(ulong limit)
    {
        bool raised = limit > LocalLimit;
        LocalLimit = Math.Max(limit, LocalLimit);
        return raised;
    }

    /// <summary>False when the other side sent more than it may.</summary>
    public bool CountReceived(ulong bytes)
    {
        _received += bytes;
        return _received <= Window.Limit;
    }

    public void Consume(ulong bytes, TimeSpan now, TimeSpan roundTrip)
    {
        if (bytes > 0 && Window.Consume(bytes, now, roundTrip))
        {
            IsMaxDataPending = true;
        }
    }

    /// <summary>One of its streams needs more room.</summary>
    public void Grow(ulong window) => IsMaxDataPending |= Window.TryGrow(window);

    /// <summary>A stream of the other side ended: it may open another one, told in batches of an eighth.</summary>
    public void RemoteStreamDone()
    {
        _remoteDone++;
        ulong limit = _remoteDone + (ulong)local.StreamsPerClassMax;
        if (limit - RemoteLimit >= Math.Max(1, (ulong)local.StreamsPerClassMax / 8))
        {
            RemoteLimit = limit;
            IsMaxStreamsPending = true;
        }
    }
}
