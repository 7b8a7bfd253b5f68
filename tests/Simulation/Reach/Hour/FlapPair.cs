using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Crypto;
using Simulation.Engine;

namespace Simulation.Reach;

/// <summary>Two connections with a direct path and a relay, and numbered messages on one stream each way. Pauses of what arrives are told apart by whether the path in use was cut.</summary>
internal sealed class FlapPair : IDisposable
{
    private static readonly IPEndPoint PlaceA = IPEndPoint.Parse("198.51.100.1:14592");
    private static readonly IPEndPoint PlaceB = IPEndPoint.Parse("198.51.100.2:14592");
    private static readonly IPEndPoint Channel = RelayAddress.Of(7);

    private readonly Queue<(Side To, byte[] Datagram, IPEndPoint From, TimeSpan At)> _direct = new();
    private readonly Queue<(Side To, byte[] Datagram, IPEndPoint From, TimeSpan At)> _relayed = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly TimeSpan _directDelay;
    private readonly TimeSpan _relayDelay;
    private TimeSpan _flapEnd = TimeSpan.MinValue;
    private bool _isCut;

    public FlapPair(int seed, TimeSpan rekey, TimeSpan direct, TimeSpan relay)
    {
        (_directDelay, _relayDelay) = (direct, relay);
        var renewal = new RekeySettings { Interval = rekey, RejectAfter = rekey * 1.5 };
        A = new Side(isInitiator: true, PlaceB, renewal, seed);
        B = new Side(isInitiator: false, PlaceA, renewal, seed);
        (A.Other, B.Other) = (B, A);
        A.Connection.SetRelays([new RelayWay(Channel, IsByPeer: false)], Now);
        B.Connection.SetRelays([new RelayWay(Channel, IsByPeer: false)], Now);
    }

    public Side A { get; }

    public Side B { get; }

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    public long Datagrams { get; private set; }

    public int Moves => A.Moves + B.Moves;

    public uint Epoch => A.Epoch;

    public TimeSpan LongestInside { get; private set; }

    public TimeSpan LongestOutside { get; private set; }

    public bool IsDirectCut
    {
        set
        {
            _isCut = value;
            NoteFlap();
        }
    }

    public void Run(TimeSpan time) => RunUntil(Now + time);

    public void RunUntil(TimeSpan end)
    {
        Work();
        while (true)
        {
            TimeSpan next = Min(A.Connection.NextTimeout(), B.Connection.NextTimeout());
            next = Min(Min(next, Next(_direct)), Next(_relayed));
            if (next > end)
            {
                Now = end;
                return;
            }

            Now = next > Now ? next : Now;
            Deliver(_direct);
            Deliver(_relayed);
            Work();
        }
    }

    public void Dispose()
    {
        A.Connection.Dispose();
        B.Connection.Dispose();
    }

    private static TimeSpan Next(Queue<(Side To, byte[] Datagram, IPEndPoint From, TimeSpan At)> flying) => flying.TryPeek(out var first) ? first.At : TimeSpan.MaxValue;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Deliver(Queue<(Side To, byte[] Datagram, IPEndPoint From, TimeSpan At)> flying)
    {
        while (flying.TryPeek(out var first) && first.At <= Now)
        {
            flying.Dequeue();
            first.To.Connection.HandleDatagram(first.Datagram, first.From, Now);
        }
    }

    private void Work()
    {
        A.Work(this);
        B.Work(this);
        NoteFlap();
    }

    // As long as one side still sends where nothing gets through; what it lost there takes a round trip and a timeout more.
    private void NoteFlap()
    {
        if (_isCut && (!RelayAddress.IsRelay(A.Connection.Remote) || !RelayAddress.IsRelay(B.Connection.Remote)))
        {
            _flapEnd = Now + (2 * _relayDelay) + TimeSpan.FromMilliseconds(1);
        }
    }

    private void Send(Side from, int length)
    {
        Datagrams++;
        IPEndPoint to = from.Connection.Destination;
        if (RelayAddress.IsRelay(to))
        {
            _relayed.Enqueue((from.Other, _buffer[..length], Channel, Now + _relayDelay));
        }
        else if (!_isCut)
        {
            _direct.Enqueue((from.Other, _buffer[..length], from == A ? PlaceA : PlaceB, Now + _directDelay));
        }
    }

    private void Paused(TimeSpan since)
    {
        TimeSpan pause = Now - since;
        bool isInside = _flapEnd > since;
        TimeSpan outside = Now - (isInside ? _flapEnd : since);
        LongestOutside = outside > LongestOutside ? outside : LongestOutside;
        LongestInside = isInside && pause > LongestInside ? pause : LongestInside;
    }

    internal sealed class Side
    {
        private const int MessageBytes = 16;

        private readonly PacketProtector _protector;
        private readonly byte[] _held = new byte[65_536];
        private readonly Queue<long> _waiting = new();
        private ProtocolStream? _stream;
        private int _heldBytes;
        private long _said;
        private TimeSpan _lastAt;
        private IPEndPoint _remote;

        public Side(bool isInitiator, IPEndPoint remote, RekeySettings rekey, int seed)
        {
            var settings = new ConnectionSettings { IdleTimeout = TimeSpan.Zero };
            var session = TestSessions.Of(isInitiator, TransportParameters.Of(settings), rekey, remote);
            _protector = (PacketProtector)session.Protector;
            _remote = remote;
            Connection = new Connection(session, settings, MtuSettings.Fixed(1200), TestSessions.Start, new SeededEntropy((2 * seed) + (isInitiator ? 0 : 1)));
        }

        public Connection Connection { get; }

        public Side Other { get; set; } = null!;

        public uint Epoch => _protector.Epoch;

        public int Moves { get; private set; }

        public long Heard { get; private set; }

        public void Say() => _waiting.Enqueue(_said++);

        public void Work(FlapPair pair)
        {
            Connection.HandleTimeout(pair.Now);
            Write();
            while (Connection.TryReadEvent(out ConnectionEvent happened))
            {
                if (happened.Kind == ConnectionEventKind.StreamReadable)
                {
                    Read(pair, happened.Stream!);
                }
                else if (happened.Kind == ConnectionEventKind.StreamWritable)
                {
                    happened.Stream!.IsWritableRaised = false;
                    Write();
                }
            }

            int length;
            while ((length = Connection.PollTransmit(pair._buffer, pair.Now)) > 0)
            {
                pair.Send(this, length);
            }

            if (!Connection.Remote.Equals(_remote))
            {
                _remote = Connection.Remote;
                Moves++;
            }
        }

        private void Write()
        {
            Span<byte> message = stackalloc byte[MessageBytes];
            while (_waiting.TryPeek(out long number) && Connection.IsOpen && (_stream is not null || Connection.Streams.TryOpen(StreamClass.Ordinary, out _stream)))
            {
                BinaryPrimitives.WriteInt64LittleEndian(message, number);
                BinaryPrimitives.WriteInt64LittleEndian(message[8..], ~number);
                if (!_stream!.Send.CanWrite || Connection.Streams.SendBuffer - (int)_stream.Send.Held < MessageBytes)
                {
                    return;
                }

                int taken = Connection.Streams.Write(_stream, message);
                if (taken != MessageBytes)
                {
                    throw new RuleBrokenException($"{taken} of {MessageBytes} bytes of a message were taken");
                }

                _waiting.Dequeue();
            }
        }

        private void Read(FlapPair pair, ProtocolStream stream)
        {
            int count;
            bool isFirst = true;
            while ((count = Connection.Streams.Read(stream, _held.AsSpan(_heldBytes), pair.Now)) > 0)
            {
                _heldBytes += count;
                int at = 0;
                for (; _heldBytes - at >= MessageBytes; at += MessageBytes)
                {
                    long number = BinaryPrimitives.ReadInt64LittleEndian(_held.AsSpan(at));
                    if (number != Heard || BinaryPrimitives.ReadInt64LittleEndian(_held.AsSpan(at + 8)) != ~number)
                    {
                        throw new RuleBrokenException($"message {number} came where {Heard} was due");
                    }

                    Heard++;
                    if (isFirst && Heard > 1)
                    {
                        pair.Paused(_lastAt);
                    }

                    (isFirst, _lastAt) = (false, pair.Now);
                }

                _held.AsSpan(at, _heldBytes - at).CopyTo(_held);
                _heldBytes -= at;
            }
        }
    }
}
