using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Transport.Tracing;

/// <summary>
/// The datagrams of an endpoint as a capture file, while somebody reads it. What the reader is too slow for is left out and counted: a trace never holds up a connection.
/// </summary>
public sealed class PacketTrace
{
    private const int QueuedMax = 8192;

    private readonly Channel<byte[]> _blocks = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(QueuedMax) { SingleReader = true });
    private readonly TimeProvider _time;
    private readonly byte[] _head;
    private readonly int _snapBytes;
    private long _packets;
    private long _dropped;

    internal PacketTrace(string comment, int snapBytes, TimeProvider time)
    {
        _time = time;
        _snapBytes = Math.Clamp(snapBytes, 64, PcapNg.SnapBytesMax);
        _head = PcapNg.Head("AgentMesh", comment, _snapBytes);
    }

    /// <summary>The blocks of the file, from its head on, until <paramref name="cancellationToken"/> ends the trace; then its tail.</summary>
    public async IAsyncEnumerable<byte[]> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return _head;
        using CancellationTokenRegistration end = cancellationToken.Register(() => _blocks.Writer.TryComplete());
        await foreach (byte[] block in _blocks.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            yield return block;
        }

        yield return PcapNg.Tail(Now(), (ulong)Interlocked.Read(ref _packets), (ulong)Interlocked.Read(ref _dropped));
    }

    /// <param name="datagrams">One behind the other, each <paramref name="datagramBytes"/> long but the last, which may be shorter.</param>
    internal void Take(IPEndPoint from, IPEndPoint to, bool isInbound, ReadOnlySpan<byte> datagrams, int datagramBytes)
    {
        ulong now = Now();
        for (; !datagrams.IsEmpty; datagrams = datagrams[Math.Min(datagramBytes, datagrams.Length)..])
        {
            ReadOnlySpan<byte> datagram = datagrams[..Math.Min(datagramBytes, datagrams.Length)];
            if (_blocks.Writer.TryWrite(PcapNg.Packet(now, from, to, isInbound, datagram, _snapBytes, DatagramText.Of(datagram))))
            {
                Interlocked.Increment(ref _packets);
            }
            else
            {
                Interlocked.Increment(ref _dropped);
            }
        }
    }

    private ulong Now() => (ulong)(_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
