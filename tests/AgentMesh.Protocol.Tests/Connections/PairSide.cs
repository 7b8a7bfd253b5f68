using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What one side has read of a stream.</summary>
internal sealed class Reading
{
    public ulong Bytes { get; set; }

    public bool Ended { get; set; }

    public ulong? ResetCode { get; set; }

    public TimeSpan FirstAt { get; set; }

    public TimeSpan LastAt { get; set; }
}

/// <summary>A connection and the program that uses it: writes <see cref="TestData"/>, reads and compares.</summary>
internal sealed class PairSide(Pair pair, Connection connection, PacketProtector protector, VirtualLink outgoing)
{
    private readonly Dictionary<ProtocolStream, (ulong At, ulong End, bool Finish)> _writing = [];
    private readonly HashSet<ProtocolStream> _unread = [];
    private readonly byte[] _buffer = new byte[65_536];
    private readonly byte[] _datagram = new byte[65_536];

    public Connection Connection { get; } = connection;

    public PacketProtector Protector { get; } = protector;

    public StreamLayer Streams => Connection.Streams;

    public VirtualLink Outgoing { get; } = outgoing;

    /// <summary>Streams opened by the other side, by id.</summary>
    public Dictionary<ulong, ProtocolStream> Opened { get; } = [];

    public Dictionary<ulong, Reading> Readings { get; } = [];

    /// <summary>Whether a stream is read; all are by default.</summary>
    public Func<ProtocolStream, bool> Reads { get; set; } = _ => true;

    /// <summary>Called when the other side opened a stream.</summary>
    public Action<ProtocolStream>? OnOpened { get; set; }

    public List<ConnectionEventKind> Events { get; } = [];

    public ConnectionEnding? Closed { get; private set; }

    public ProtocolStream Open(StreamClass streamClass = StreamClass.Ordinary)
    {
        Assert.True(Streams.TryOpen(streamClass, out ProtocolStream? stream), pair.Describe("no stream may be opened"));
        return stream!;
    }

    /// <summary>Writes the next <paramref name="length"/> bytes of the stream, as they find room.</summary>
    public void Send(ProtocolStream stream, ulong length, bool finish = true)
    {
        (ulong at, ulong end, bool _) = _writing.GetValueOrDefault(stream);
        _writing[stream] = (at, end + length, finish);
    }

    /// <summary>Opens a stream and writes to it.</summary>
    public ProtocolStream SendNew(ulong length, StreamClass streamClass = StreamClass.Ordinary, bool finish = true)
    {
        ProtocolStream stream = Open(streamClass);
        Send(stream, length, finish);
        return stream;
    }

    public Reading ReadingOf(ProtocolStream stream) => Readings.TryGetValue(stream.Id.Value, out Reading? reading) ? reading : Readings[stream.Id.Value] = new Reading();

    public void Deliver(byte[] datagram, EcnCodepoint ecn) => Connection.HandleDatagram(datagram, pair.Now, ecn);

    /// <summary>Does everything that can be done at this moment.</summary>
    public void Work()
    {
        Connection.HandleTimeout(pair.Now);
        do
        {
            TakeEvents();
            if (Connection.IsOpen)
            {
                Write();
                Read();
            }

            Transmit();
        }
        while (TakeEvents());
    }

    private bool TakeEvents()
    {
        bool any = false;
        while (Connection.TryReadEvent(out ConnectionEvent happened))
        {
            any = true;
            Events.Add(happened.Kind);
            switch (happened.Kind)
            {
                case ConnectionEventKind.StreamOpened:
                    Opened.Add(happened.Stream!.Id.Value, happened.Stream);
                    OnOpened?.Invoke(happened.Stream);
                    break;
                case ConnectionEventKind.StreamReadable:
                    _unread.Add(happened.Stream!);
                    break;
                case ConnectionEventKind.StreamWritable:
                    happened.Stream!.IsWritableRaised = false;
                    break;
                case ConnectionEventKind.Closed:
                    Assert.Null(Closed);
                    Closed = Connection.End;
                    break;
            }
        }

        return any;
    }

    private void Write()
    {
        foreach (ProtocolStream stream in _writing.Keys.ToArray())
        {
            (ulong at, ulong end, bool finish) = _writing[stream];
            while (at < end && stream.Send.CanWrite)
            {
                // One byte more than there is room for, so that the connection knows that somebody waits.
                ulong room = (ulong)Streams.SendBuffer > stream.Send.Held ? (ulong)Streams.SendBuffer - stream.Send.Held : 0;
                int piece = (int)Math.Min(Math.Min(end - at, room + 1), (ulong)_buffer.Length);
                TestData.Fill(stream.Id.Value, at, _buffer.AsSpan(0, piece));
                int taken = Streams.Write(stream, _buffer.AsSpan(0, piece));
                at += (ulong)taken;
                if (taken < piece)
                {
                    break;
                }
            }

            if (!stream.Send.CanWrite || (at == end && finish))
            {
                Streams.Finish(stream);
                _writing.Remove(stream);
            }
            else
            {
                _writing[stream] = (at, end, finish);
            }
        }
    }

    private void Read()
    {
        foreach (ProtocolStream stream in _unread.Where(Reads).ToArray())
        {
            Reading reading = ReadingOf(stream);
            int count;
            while ((count = Streams.Read(stream, _buffer, pair.Now)) > 0)
            {
                Assert.True(TestData.Matches(stream.Id.Value, reading.Bytes, _buffer.AsSpan(0, count)), pair.Describe($"stream {stream.Id} has other bytes at {reading.Bytes}"));
                reading.FirstAt = reading.Bytes == 0 ? pair.Now : reading.FirstAt;
                reading.LastAt = pair.Now;
                reading.Bytes += (ulong)count;
            }

            reading.ResetCode = stream.Receive.ResetCode;
            reading.Ended = stream.Receive.IsDone && reading.ResetCode is null;
            _unread.Remove(stream);
        }
    }

    private void Transmit()
    {
        int length;
        while ((length = Connection.PollTransmit(_datagram, pair.Now)) > 0)
        {
            Outgoing.Send(_datagram.AsSpan(0, length), pair.Now, Connection.Ecn);
        }
    }
}
