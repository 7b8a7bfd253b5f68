using AgentMesh.Mesh.Jobs;
using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Input;

/// <summary>
/// The input of one program between who sends it and the shim, addressed by byte offset: what the program has not taken is kept, at most
/// <see cref="ShimFiles.InputBytesMax"/>, and a sender that is further ahead waits. One sender at a time, the newest; any thread.
/// </summary>
/// <remarks>
/// A program whose sender has left it waits for the next one. One from whose sender nothing is heard for the grace period loses it: a terminal is hung up, a pipe ends as if the sender had ended it. But the input
/// of another program must not end as if that was all: then the attempt is given up (<c>lost</c>).
/// </remarks>
public sealed class ProgramInput : IDisposable
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[ShimFiles.InputBytesMax];
    private readonly JobInput _kind;
    private readonly TimeSpan _grace;
    private readonly Action _lost;
    private readonly string? _leftFile;
    private readonly ITimer _timer;
    private TaskCompletionSource _changed = NewSignal();
    private InputSender? _sender;
    private (int Columns, int Rows)? _size;
    private long _sent;

    /// <summary>What the program has for certain; the shim has no room beyond <see cref="ShimFiles.InputBytesMax"/> more.</summary>
    private long _given;
    private long? _end;
    private bool _isConnected;
    private bool _isLeft;
    private bool _isSizeSent = true;
    private bool _isEndSent;
    private bool _isHungUp;
    private bool _isHangUpSent;

    /// <param name="lost">Called once, when the output of another program will not come to its end.</param>
    /// <param name="leftFile">Is there while the program waits for a sender without limit, also for the next process of the node; null to keep that in memory.</param>
    public ProgramInput(JobInput kind, TimeSpan grace, TimeProvider time, Action lost, string? leftFile = null)
    {
        _leftFile = leftFile;
        _isLeft = leftFile is not null && File.Exists(leftFile);
        _kind = kind;
        _grace = grace;
        _lost = lost;
        _timer = time.CreateTimer(static input => ((ProgramInput)input!).GraceOver(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What the program was given.</summary>
    public long Taken { get; private set; }

    public long Received { get; private set; }

    /// <summary>The program takes no more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>All of it has come.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
            {
                return _end is { } end && Received >= end;
            }
        }
    }

    /// <summary>Completes at the next change. Take it before looking, so that none is missed.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>From now on this is who sends; an earlier one fails at its next word.</summary>
    public InputSender Attach()
    {
        var sender = new InputSender(this);
        lock (_gate)
        {
            _sender = sender;
            SetLeft(false);
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        Signal();
        return sender;
    }

    /// <summary>The program has ended.</summary>
    public void Close()
    {
        lock (_gate)
        {
            IsClosed = true;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        Signal();
    }

    public void Dispose()
    {
        Close();
        _timer.Dispose();
    }

    /// <summary>The shim is there, and has this much: in this process of the node for the first time, or again.</summary>
    internal void Connected(long received)
    {
        lock (_gate)
        {
            if (!_isConnected)
            {
                _isConnected = true;
                Taken = Received = received;
            }

            _sent = Math.Clamp(received, Taken, Received);

            // The shim may be full of what an earlier process of the node has sent.
            _given = Math.Max(_given, received - _ring.Length);
            _isSizeSent = _size is null;
            _isEndSent = _isHangUpSent = false;
            ArmUnlessAttached();
        }

        Signal();
    }

    /// <summary>The program was given so much, and may take more or not.</summary>
    internal void Take(long taken, bool isClosed)
    {
        lock (_gate)
        {
            _given = Math.Max(_given, taken);
            Taken = Math.Clamp(taken, Taken, Received);
            IsClosed |= isClosed;
        }

        Signal();
    }

    /// <returns>Null when there is nothing to tell the shim.</returns>
    internal InputStep? Next(Span<byte> buffer)
    {
        lock (_gate)
        {
            if (!_isSizeSent && _size is { } size)
            {
                _isSizeSent = true;
                return new InputStep(new ShimFrame(ShimFrameKind.Resize, 0, 0, size.Columns, size.Rows, 0), 0);
            }

            long most = Math.Min(Received, _given + _ring.Length);
            if (_sent < most && !IsClosed)
            {
                int at = (int)(_sent % _ring.Length);
                int count = (int)Math.Min(Math.Min(buffer.Length, most - _sent), _ring.Length - at);
                _ring.AsSpan(at, count).CopyTo(buffer);
                var frame = new ShimFrame(ShimFrameKind.Input, 0, 0, _sent, count, 0);
                _sent += count;
                return new InputStep(frame, count);
            }

            if (_isHungUp && !_isHangUpSent)
            {
                _isHangUpSent = true;
                return new InputStep(new ShimFrame(ShimFrameKind.HangUp, 0, 0, 0, 0, 0), 0);
            }

            if (_end is { } end && _sent >= end && !_isEndSent)
            {
                _isEndSent = true;
                return new InputStep(new ShimFrame(ShimFrameKind.InputEnd, 0, 0, end, 0, 0), 0);
            }

            return null;
        }
    }

    /// <summary>Waits for the program to start. Returns from where on input is wanted.</summary>
    internal async Task<long> ReadyAsync(InputSender sender, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                Check(sender);
                if (_isConnected || IsClosed)
                {
                    return Received;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal async ValueTask<bool> WriteAsync(InputSender sender, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            int room;
            lock (_gate)
            {
                Check(sender);
                if (IsClosed)
                {
                    return false;
                }

                if (offset > Received || _end is not null)
                {
                    throw new IOException("input with a gap");
                }

                // What was sent before the connection was lost may come again.
                int known = (int)Math.Min(Received - offset, data.Length);
                data = data[known..];
                offset += known;
                room = (int)Math.Min(_ring.Length - (Received - Taken), data.Length);
                Put(data.Span[..room]);
                data = data[room..];
                offset += room;
                changed = _changed.Task;
            }

            if (room > 0)
            {
                // Also wakes this loop, which then finds no room and waits.
                Signal();
            }

            if (data.IsEmpty)
            {
                return true;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal void End(InputSender sender, long offset)
    {
        lock (_gate)
        {
            Check(sender);
            if (offset != Received)
            {
                throw new IOException("the end of the input is not where the input ends");
            }

            _end = offset;
        }

        Signal();
    }

    internal void Leave(InputSender sender, long offset)
    {
        lock (_gate)
        {
            Check(sender);
            if (offset != Received)
            {
                throw new IOException("the sender leaves where it has not been");
            }

            SetLeft(true);
        }
    }

    internal void Resize(InputSender sender, int columns, int rows)
    {
        lock (_gate)
        {
            Check(sender);
            _size = (Math.Clamp(columns, 1, JobTerminal.SizeMax), Math.Clamp(rows, 1, JobTerminal.SizeMax));
            _isSizeSent = false;
        }

        Signal();
    }

    internal void Detach(InputSender sender)
    {
        lock (_gate)
        {
            if (_sender == sender)
            {
                _sender = null;
                ArmUnlessAttached();
            }
        }

        Signal();
    }

    private void ArmUnlessAttached()
    {
        if (_sender is null && !_isLeft && _isConnected && !IsClosed && _end is null)
        {
            _timer.Change(_grace, Timeout.InfiniteTimeSpan);
        }
    }

    private void SetLeft(bool isLeft)
    {
        if (_isLeft == isLeft)
        {
            return;
        }

        _isLeft = isLeft;
        try
        {
            if (isLeft && _leftFile is not null)
            {
                File.WriteAllBytes(_leftFile, []);
            }
            else if (_leftFile is not null)
            {
                File.Delete(_leftFile);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It holds until the node ends.
        }
    }

    private void GraceOver()
    {
        bool isLost;
        lock (_gate)
        {
            if (_sender is not null || _isLeft || IsClosed || _end is not null)
            {
                return;
            }

            isLost = _kind.From is not null;
            if (!isLost)
            {
                _end = Received;
                _isHungUp = _kind.Terminal is not null;
            }
        }

        Signal();
        if (isLost)
        {
            _lost();
        }
    }

    private void Put(ReadOnlySpan<byte> data)
    {
        int at = (int)(Received % _ring.Length);
        int first = Math.Min(data.Length, _ring.Length - at);
        data[..first].CopyTo(_ring.AsSpan(at));
        data[first..].CopyTo(_ring);
        Received += data.Length;
    }

    private void Check(InputSender sender)
    {
        if (_sender != sender)
        {
            throw new IOException("another one sends the input now");
        }
    }

    private void Signal()
    {
        TaskCompletionSource completed;
        lock (_gate)
        {
            completed = _changed;
            _changed = NewSignal();
        }

        completed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
