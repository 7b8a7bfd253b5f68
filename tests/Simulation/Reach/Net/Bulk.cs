using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Engine;

namespace Simulation.Reach.Net;

/// <summary>A transfer that never ends: bytes of which each is known, written as they find room, read and compared.</summary>
internal sealed class Bulk(Connection connection, Func<TimeSpan> now)
{
    private readonly byte[] _buffer = new byte[16_384];
    private ProtocolStream? _outgoing;
    private ulong _written;

    public ulong Read { get; private set; }

    /// <summary>On the clock of the reader.</summary>
    public TimeSpan ReadAt { get; private set; } = now();

    /// <summary>Since <see cref="Mark"/>: the longest time in which nothing could be read.</summary>
    public TimeSpan LongestPause { get; private set; }

    public void Mark() => (LongestPause, ReadAt) = (TimeSpan.Zero, now());

    /// <summary>The pause that goes on right now counts as well.</summary>
    public TimeSpan LongestPauseUpToNow => now() - ReadAt > LongestPause ? now() - ReadAt : LongestPause;

    public void Write()
    {
        if (_outgoing is null && !connection.Streams.TryOpen(StreamClass.Bulk, out _outgoing))
        {
            return;
        }

        int taken;
        do
        {
            TestData.Fill(_outgoing!.Id.Value, _written, _buffer);
            taken = _outgoing.Send.CanWrite ? connection.Streams.Write(_outgoing, _buffer) : 0;
            _written += (ulong)taken;
        }
        while (taken == _buffer.Length);
    }

    public void Take(ProtocolStream stream)
    {
        int count;
        while ((count = connection.Streams.Read(stream, _buffer, now())) > 0)
        {
            if (!TestData.Matches(stream.Id.Value, Read, _buffer.AsSpan(0, count)))
            {
                throw new RuleBrokenException($"the transfer has other bytes at {Read}");
            }

            TimeSpan pause = now() - ReadAt;
            LongestPause = pause > LongestPause ? pause : LongestPause;
            ReadAt = now();
            Read += (ulong)count;
        }

        if (stream.Receive.ResetCode is { } code)
        {
            throw new RuleBrokenException($"the stream was reset with {code}");
        }
    }
}
