using System.Net;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Tests.Handshake;

namespace Simulation.Reach.Loss;

/// <summary>One of the two devices of a <see cref="MeshFlow"/>: handshake and connection of the product, and a program that writes without end or reads.</summary>
internal sealed class MeshSide : IDisposable
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[] Nothing = new byte[65_536];

    private readonly EventClock _clock;
    private readonly IPEndPoint _address;
    private readonly ConnectionSettings _settings;
    private readonly MtuSettings _mtu;
    private readonly HandshakeEndpoint _handshake;
    private readonly TestAdmission _admission = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly Action<byte[], EcnCodepoint> _send;
    private ProtocolStream? _stream;
    private TimeSpan _wakesAt = TimeSpan.MaxValue;

    public MeshSide(EventClock clock, int seed, IPEndPoint address, ConnectionSettings settings, MtuSettings mtu, Action<byte[], EcnCodepoint> send)
    {
        (_clock, _address, _settings, _mtu, _send) = (clock, address, settings, mtu, send);
        Identity = DeviceIdentity.Create(new SeededEntropy(seed));
        byte[] parameters = new byte[TransportParameters.Size];
        TransportParameters.Of(settings).Write(parameters);
        _handshake = new HandshakeEndpoint(Identity, _admission, new HandshakeSettings(), new InitiationStamps(0, null), parameters, new SeededEntropy(seed + 500_000));
    }

    public DeviceIdentity Identity { get; }

    public Connection? Connection { get; private set; }

    /// <summary>The attempt to open ended without a session.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Writes as much as is taken; the other side reads.</summary>
    public bool Writes { get; init; }

    public long BytesRead { get; private set; }

    public void Admit(MeshSide other) => _admission.Admitted.Add(other.Identity.PublicKey);

    public void Open(MeshSide other)
    {
        _handshake.TryConnect(other.Identity.PublicKey, [other._address], default, Instant);
        Work();
    }

    public void Take(byte[] datagram, IPEndPoint from, EcnCodepoint ecn)
    {
        if (Datagrams.KindOf(datagram) != DatagramKind.Packet)
        {
            _handshake.HandleDatagram(datagram, from, Instant);
        }
        else if (Connection is null && _handshake.TryConfirm(datagram, from, Instant))
        {
            TakeHandshake();
        }

        if (Datagrams.KindOf(datagram) == DatagramKind.Packet)
        {
            Connection?.HandleDatagram(datagram, from, _clock.Now, ecn);
        }

        Work();
    }

    public void Dispose()
    {
        _handshake.Dispose();
        Connection?.Dispose();
    }

    private MeshInstant Instant => new(_clock.Now, Start + _clock.Now);

    private void Work()
    {
        TakeHandshake();
        if (Connection is { } connection)
        {
            connection.HandleTimeout(_clock.Now);
            do
            {
                TakeEvents(connection);
                Write(connection);
                int length;
                while ((length = connection.PollTransmit(_buffer, _clock.Now)) > 0)
                {
                    _send(_buffer[..length], connection.Ecn);
                }
            }
            while (TakeEvents(connection));
        }

        WakeAgain();
    }

    private void TakeHandshake()
    {
        if (_handshake.NextWakeUp <= _clock.Now)
        {
            _handshake.HandleTimeout(Instant);
        }

        while (_handshake.TryReadEvent(out HandshakeEvent? happened))
        {
            if (happened is SessionEstablished established)
            {
                Connection = new Connection(established.Session, _settings, _mtu, _clock.Now);
            }
            else
            {
                HasFailed = true;
            }
        }

        while (_handshake.TryTransmit(_buffer, out HandshakeTransmit transmit))
        {
            _send(_buffer[..transmit.Length], EcnCodepoint.NotEct);
        }
    }

    private void Write(Connection connection)
    {
        if (!Writes || !connection.IsOpen)
        {
            return;
        }

        if (_stream is null && !connection.Streams.TryOpen(StreamClass.Bulk, out _stream))
        {
            return;
        }

        int taken;
        do
        {
            // One byte more than there is room for, so that the connection knows that somebody waits.
            ulong room = (ulong)connection.Streams.SendBuffer > _stream!.Send.Held ? (ulong)connection.Streams.SendBuffer - _stream.Send.Held : 0;
            int piece = (int)Math.Min(room + 1, (ulong)Nothing.Length);
            taken = connection.Streams.Write(_stream, Nothing.AsSpan(0, piece)) == piece ? piece : 0;
        }
        while (taken > 0);
    }

    private bool TakeEvents(Connection connection)
    {
        bool any = false;
        while (connection.TryReadEvent(out ConnectionEvent happened))
        {
            any = true;
            if (happened.Kind == ConnectionEventKind.StreamReadable)
            {
                int count;
                while ((count = connection.Streams.Read(happened.Stream!, _buffer, _clock.Now)) > 0)
                {
                    BytesRead += count;
                }
            }
            else if (happened.Kind == ConnectionEventKind.StreamWritable)
            {
                happened.Stream!.IsWritableRaised = false;
            }
        }

        return any;
    }

    private void WakeAgain()
    {
        TimeSpan next = _handshake.NextWakeUp ?? TimeSpan.MaxValue;
        TimeSpan connection = Connection is { IsDrained: false } ? Connection.NextTimeout() : TimeSpan.MaxValue;
        next = connection < next ? connection : next;
        if (next >= TimeSpan.MaxValue || next == _wakesAt)
        {
            return;
        }

        _wakesAt = next;
        _clock.At(next, () =>
        {
            if (_wakesAt == next)
            {
                _wakesAt = TimeSpan.MaxValue;
                Work();
            }
        });
    }
}
