using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Crypto;
using Simulation.Engine;

namespace Simulation.Reach;

/// <summary>A datagram on its way. <paramref name="From"/> is what the receiver sees, true or not.</summary>
internal readonly record struct Flight(HostileWire.Side To, byte[] Bytes, IPEndPoint From, TimeSpan After);

/// <summary>
/// Two connections of the product whose datagrams all pass the hands of somebody else, who may change, keep, repeat and invent them. Both sides send
/// numbered bytes and compare what they read.
/// </summary>
internal sealed class HostileWire : IDisposable
{
    private readonly PriorityQueue<Flight, (TimeSpan At, long Order)> _flying = new();
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _plans = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly byte[] _expected = new byte[65_536];
    private long _order;

    public HostileWire(int seed, IPEndPoint a, IPEndPoint b)
    {
        A = new Side(isInitiator: true, a, b, seed);
        B = new Side(isInitiator: false, b, a, seed);
        (A.Other, B.Other) = (B, A);
        Hands = flight => [flight];
    }

    public Side A { get; }

    public Side B { get; }

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>What becomes of a datagram.</summary>
    public Func<Flight, IEnumerable<Flight>> Hands { get; set; }

    public long Datagrams { get; private set; }

    public void Inject(Flight flight)
    {
        Datagrams++;
        _flying.Enqueue(flight, (Now + flight.After, _order++));
    }

    public void At(TimeSpan at, Action action) => _plans.Enqueue(action, (at, _order++));

    /// <returns>Whether it happened in time.</returns>
    public bool Until(Func<bool> reached, TimeSpan time)
    {
        TimeSpan end = Now + time;
        A.Work(this);
        B.Work(this);
        while (!reached())
        {
            TimeSpan next = Min(A.Connection.NextTimeout(), B.Connection.NextTimeout());
            next = _flying.TryPeek(out _, out (TimeSpan At, long) first) ? Min(next, first.At) : next;
            next = _plans.TryPeek(out _, out (TimeSpan At, long) plan) ? Min(next, plan.At) : next;
            if (next > end)
            {
                Now = end;
                return reached();
            }

            Now = next > Now ? next : Now;
            while (_flying.TryPeek(out Flight arrived, out first) && first.At <= Now)
            {
                _flying.Dequeue();
                arrived.To.Take(arrived, Now);
            }

            while (_plans.TryPeek(out _, out plan) && plan.At <= Now)
            {
                _plans.Dequeue()();
            }

            A.Work(this);
            B.Work(this);
            if (Datagrams > 400_000)
            {
                throw new RuleBrokenException($"{Datagrams} datagrams after {Now - TestSessions.Start}");
            }
        }

        return true;
    }

    public void Run(TimeSpan time) => Until(() => false, time);

    public void Dispose()
    {
        A.Connection.Dispose();
        B.Connection.Dispose();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    internal sealed class Side
    {
        private readonly Dictionary<ProtocolStream, ulong> _read = [];
        private ProtocolStream? _stream;
        private ulong _written;
        private ulong _toWrite;

        public Side(bool isInitiator, IPEndPoint own, IPEndPoint remote, int seed)
        {
            Own = own;
            var settings = new ConnectionSettings { IdleTimeout = TimeSpan.Zero };
            EstablishedSession session = TestSessions.Of(isInitiator, TransportParameters.Of(settings), remoteAddress: remote);
            Connection = new Connection(session, settings, MtuSettings.Fixed(1200), TestSessions.Start, new SeededEntropy((2 * seed) + (isInitiator ? 0 : 1)));
        }

        public IPEndPoint Own { get; }

        public Connection Connection { get; }

        public Side Other { get; set; } = null!;

        public ulong Received { get; private set; }

        /// <summary>How often and with how many bytes each address was sent to, and what came from there.</summary>
        public Dictionary<IPEndPoint, (int Count, long Bytes)> SentTo { get; } = [];

        public Dictionary<IPEndPoint, long> CameFrom { get; } = [];

        public void Send(ulong bytes) => _toWrite += bytes;

        public void Take(Flight flight, TimeSpan now)
        {
            CameFrom[flight.From] = CameFrom.GetValueOrDefault(flight.From) + flight.Bytes.Length;
            Connection.HandleDatagram(flight.Bytes, flight.From, now);
        }

        public void Work(HostileWire wire)
        {
            Connection.HandleTimeout(wire.Now);
            Write(wire);
            while (Connection.TryReadEvent(out ConnectionEvent happened))
            {
                switch (happened.Kind)
                {
                    case ConnectionEventKind.StreamReadable:
                        Read(wire, happened.Stream!);
                        break;
                    case ConnectionEventKind.StreamWritable:
                        happened.Stream!.IsWritableRaised = false;
                        Write(wire);
                        break;
                }
            }

            int length;
            while ((length = Connection.PollTransmit(wire._buffer, wire.Now)) > 0)
            {
                IPEndPoint to = Connection.Destination;
                (int count, long bytes) = SentTo.GetValueOrDefault(to);
                SentTo[to] = (count + 1, bytes + length);
                wire.Datagrams++;
                if (to.Equals(Other.Own))
                {
                    foreach (Flight flight in wire.Hands(new Flight(Other, wire._buffer[..length], Own, wire.Delay)))
                    {
                        wire._flying.Enqueue(flight, (wire.Now + flight.After, wire._order++));
                    }
                }
            }
        }

        private void Write(HostileWire wire)
        {
            if (_toWrite == 0 || !Connection.IsOpen || (_stream is null && !Connection.Streams.TryOpen(StreamClass.Ordinary, out _stream)))
            {
                return;
            }

            while (_written < _toWrite)
            {
                int piece = (int)Math.Min(16_384, _toWrite - _written);
                TestData.Fill(_stream!.Id.Value, _written, wire._buffer.AsSpan(0, piece));
                int taken = Connection.Streams.Write(_stream, wire._buffer.AsSpan(0, piece));
                if (taken == 0)
                {
                    return;
                }

                _written += (ulong)taken;
            }
        }

        private void Read(HostileWire wire, ProtocolStream stream)
        {
            int count;
            while ((count = Connection.Streams.Read(stream, wire._buffer, wire.Now)) > 0)
            {
                ulong at = _read.GetValueOrDefault(stream);
                TestData.Fill(stream.Id.Value, at, wire._expected.AsSpan(0, count));
                if (!wire._buffer.AsSpan(0, count).SequenceEqual(wire._expected.AsSpan(0, count)))
                {
                    throw new RuleBrokenException($"bytes from {at} on are not those that were sent");
                }

                _read[stream] = at + (ulong)count;
                Received += (ulong)count;
            }
        }
    }
}
