using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Transport.Turn;

/// <summary>
/// A TCP connection to a TURN server, with TLS inside or without. What waits too long to be sent is lost, as with every tunnel: the connections inside repeat what matters. Requests to the server are
/// never lost, since nobody repeats those (RFC 8489, section 6.2.2).
/// </summary>
internal sealed class TurnStream(Stream stream, IPEndPoint server, TimeProvider time) : ITurnLink
{
    private const int QueueBytesMax = 256 * 1024;
    private const int ChunkBytes = 64 * 1024;

    // The longest message, with the zeros behind it.
    private const int MessageBytesMax = DatagramTunnels.DatagramBytesMax + TurnAllocation.OverheadMax + 4;

    private static readonly TimeSpan AgeMax = TimeSpan.FromMilliseconds(500);

    // For the last message, that which gives the allocation back.
    private static readonly TimeSpan FlushWithin = TimeSpan.FromMilliseconds(500);

    private readonly DatagramQueue _queue = new(QueueBytesMax, AgeMax, time);
    private readonly TurnStreamFramer _framer = new();
    private readonly CancellationTokenSource _broken = new();
    private Task _sending = Task.CompletedTask;

    public void Send(ReadOnlySpan<byte> message, IPEndPoint to)
    {
        if (TurnStreamFramer.IsData(message))
        {
            _queue.Enqueue(message);
        }
        else
        {
            _queue.EnqueueUrgent(message);
        }
    }

    public async Task ReceiveAsync(TurnTaker take, CancellationToken cancellationToken)
    {
        _sending = SendAsync();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _broken.Token);
        try
        {
            while (!_framer.IsBroken && await stream.ReadAsync(_framer.Free, either.Token).ConfigureAwait(false) is > 0 and var count)
            {
                _framer.Received(count);
                while (_framer.TryRead(out Span<byte> message))
                {
                    take(message, server);
                }
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It ended.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Finish();
        await _sending.WaitAsync(FlushWithin, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _broken.CancelAsync().ConfigureAwait(false);
        _queue.Close();
        await stream.DisposeAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _broken.Dispose();
    }

    private async Task SendAsync()
    {
        byte[] chunk = new byte[ChunkBytes];
        try
        {
            while (await _queue.DequeueAsync(_broken.Token).ConfigureAwait(false) is { } next)
            {
                int length = 0;
                (byte[] Buffer, int Length)? each = next;
                do
                {
                    length += Append(chunk.AsSpan(length), each.Value.Buffer.AsSpan(0, each.Value.Length));
                    DatagramQueue.Return(each.Value.Buffer);
                }
                while (length <= ChunkBytes - MessageBytesMax && (each = _queue.TryDequeue()) is not null);
                await stream.WriteAsync(chunk.AsMemory(0, length), _broken.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The reader ends as well.
            await _broken.CancelAsync().ConfigureAwait(false);
        }
    }

    // With the zeros behind it.
    private static int Append(Span<byte> chunk, ReadOnlySpan<byte> message)
    {
        int padding = TurnStreamFramer.PaddingOf(message);
        message.CopyTo(chunk);
        chunk.Slice(message.Length, padding).Clear();
        return message.Length + padding;
    }
}
