using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace AgentMesh.Transport.Tunnels;

/// <summary>
/// Datagrams that wait for a stream to carry them. Full, it loses the oldest; and what has waited too long is lost too, as long as there is more: a stream that stands
/// still for a while would otherwise deliver old news for as long afterwards, and whoever sends would take that for the length of the way. Thread-safe.
/// </summary>
internal sealed class DatagramQueue(int bytesMax, TimeSpan ageMax, TimeProvider time)
{
    /// <summary>So much is kept however old it is: a few datagrams may be all that there is to say.</summary>
    public const int KeptBytes = 16 * 1024;

    // Requests of which one at a time is under way.
    private const int UrgentMax = 32;

    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Buffer, int Length, long At)> _waiting = new();
    private readonly Queue<(byte[] Buffer, int Length)> _urgent = new();
    private readonly Signal _filled = new();
    private int _bytes;
    private bool _isClosed;

    /// <summary>Datagrams lost here.</summary>
    public long Dropped { get; private set; }

    public int Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    public void Enqueue(ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_isClosed || datagram.Length > bytesMax)
            {
                Dropped++;
                return;
            }

            while (_bytes + datagram.Length > bytesMax)
            {
                Drop();
            }

            byte[] buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
            datagram.CopyTo(buffer);
            _waiting.Enqueue((buffer, datagram.Length, time.GetTimestamp()));
            _bytes += datagram.Length;
            _filled.Set();
        }
    }

    /// <summary>Goes before all others and is not lost while a few wait.</summary>
    public void EnqueueUrgent(ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_isClosed || _urgent.Count >= UrgentMax || datagram.Length > bytesMax)
            {
                Dropped++;
                return;
            }

            byte[] buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
            datagram.CopyTo(buffer);
            _urgent.Enqueue((buffer, datagram.Length));
            _filled.Set();
        }
    }

    /// <summary>The next one, if there is one now; as <see cref="DequeueAsync"/>.</summary>
    public (byte[] Buffer, int Length)? TryDequeue()
    {
        lock (_gate)
        {
            return TryDequeue(out byte[]? buffer, out int length) ? (buffer, length) : null;
        }
    }

    /// <summary>Waits for the next one; null at the end. The caller gives the buffer back with <see cref="Return"/>.</summary>
    public async ValueTask<(byte[] Buffer, int Length)?> DequeueAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task filled;
            lock (_gate)
            {
                if (TryDequeue(out byte[]? buffer, out int length))
                {
                    return (buffer, length);
                }

                if (_isClosed)
                {
                    return null;
                }

                filled = _filled.Wait();
            }

            await filled.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public static void Return(byte[] buffer) => ArrayPool<byte>.Shared.Return(buffer);

    /// <summary>Nothing is taken any more; what waits is still given.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _isClosed = true;
            _filled.Set();
        }
    }

    /// <summary>Nothing is taken or given any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            while (_urgent.TryDequeue(out (byte[] Buffer, int) each))
            {
                Return(each.Buffer);
            }

            while (_waiting.Count > 0)
            {
                Drop();
            }

            _filled.Set();
        }
    }

    private bool TryDequeue([NotNullWhen(true)] out byte[]? buffer, out int length)
    {
        if (_urgent.TryDequeue(out (byte[] Buffer, int Length) urgent))
        {
            (buffer, length) = urgent;
            return true;
        }

        while (_bytes > KeptBytes && time.GetElapsedTime(_waiting.Peek().At) > ageMax)
        {
            Drop();
        }

        bool isThere = _waiting.TryDequeue(out (byte[] Buffer, int Length, long At) next);
        (buffer, length) = (next.Buffer, next.Length);
        _bytes -= length;
        return isThere;
    }

    private void Drop()
    {
        (byte[] buffer, int length, _) = _waiting.Dequeue();
        _bytes -= length;
        Dropped++;
        Return(buffer);
    }
}
