using AgentMesh.Protocol.Connections;

namespace AgentMesh.Protocol.Streams;

/// <summary>Allowances of one class of streams on one connection, in bytes and in streams, both ways.</summary>
/// <param name="share">In what this device receives in a second; null: as much as the window takes.</param>
internal sealed class ClassState(StreamClass streamClass, ConnectionSettings local, TransportParameters remote, ReceiveShare? share)
{
    private ulong _received;

    // Of what the other side may still send, what no bucket was asked for.
    private ulong _unpaid = (ulong)local.ClassCredit;
    private ulong _remoteDone;

    public StreamClass Class { get; } = streamClass;

    /// <summary>Bytes that the other side lets this side send.</summary>
    public ulong SendLimit { get; private set; } = remote.ClassWindow;

    public ulong Sent { get; private set; }

    public ulong Credit => SendLimit - Sent;

    public ReceiveWindow Window { get; } = new((ulong)local.ClassWindow, (ulong)local.ClassWindowMax);

    /// <summary>What the other side is told that it may send: the limit of the window, or less for the sake of a rate.</summary>
    public ulong Allowed { get; private set; } = (ulong)local.ClassCredit;

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
        if (_received > Allowed)
        {
            return false;
        }

        ulong unpaid = Math.Min(bytes, _unpaid);
        _unpaid -= unpaid;
        share?.ArrivedPaid(bytes - unpaid);
        return true;
    }

    /// <summary>Allows what the window and the rate of this device let it allow.</summary>
    public void Extend(TimeSpan now, TimeSpan roundTrip)
    {
        if (Allowed >= Window.Limit)
        {
            return;
        }

        // Control streams say what must not wait behind anything.
        if (Class == StreamClass.Control || share is not { IsLimited: true })
        {
            _unpaid += Window.Limit - Allowed;
            Allowed = Window.Limit;
            IsMaxDataPending = true;
            return;
        }

        ulong ahead = share.Window(roundTrip), target = Math.Min(Window.Limit, _received + ahead);
        if (target < Allowed + (Math.Min(ahead, Window.Size) / 4))
        {
            return; // enough for now, and more is asked for when some of it has come
        }

        ulong taken = share.Take(target - Allowed, now);
        Allowed += taken;
        IsMaxDataPending |= taken > 0;
    }

    public void Consume(ulong bytes, TimeSpan now, TimeSpan roundTrip)
    {
        if (bytes > 0 && Window.Consume(bytes, now, roundTrip))
        {
            Extend(now, roundTrip);
        }
    }

    /// <summary>One of its streams needs more room.</summary>
    public void Grow(ulong window, TimeSpan now, TimeSpan roundTrip)
    {
        if (Window.TryGrow(window))
        {
            Extend(now, roundTrip);
        }
    }

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
