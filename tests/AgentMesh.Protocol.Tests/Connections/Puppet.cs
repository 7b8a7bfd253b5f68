using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>
/// A connection (the responder) whose other side is the test: it holds the keys, sends whatever frames it likes and sees every frame that comes back.
/// </summary>
internal sealed class Puppet : IDisposable
{
    private readonly EstablishedSession _session;
    private readonly PacketProtector _protector;
    private readonly byte[] _buffer = new byte[65_536];
    private ulong _number;

    public Puppet(ConnectionSettings? settings = null, TransportParameters? ours = null, RekeySettings? rekey = null, int datagramBytes = 1200)
    {
        Settings = settings ?? new ConnectionSettings();
        _protector = TestSessions.Protector(isInitiator: true, rekey);
        _session = TestSessions.Of(isInitiator: false, ours ?? TransportParameters.Of(new ConnectionSettings()), rekey);
        Target = new Connection(_session, Settings, MtuSettings.Fixed(datagramBytes), Now);
    }

    public ConnectionSettings Settings { get; }

    public Connection Target { get; }

    public TimeSpan Now { get; set; } = TestSessions.Start;

    /// <summary>The number of the next packet of the test; may be raised to leave some out.</summary>
    public ulong NextNumber
    {
        get => _number;
        set => _number = value;
    }

    /// <summary>Everything that the connection sent: number, length and frames of each packet.</summary>
    public List<(ulong Number, int Bytes, List<FrameView> Frames)> Packets { get; } = [];

    /// <summary>The datagrams of <see cref="Packets"/> as they were on the wire.</summary>
    public List<byte[]> Sealed { get; } = [];

    public IEnumerable<FrameView> Frames => Packets.SelectMany(p => p.Frames);

    public List<ConnectionEvent> Events { get; } = [];

    public Dictionary<ulong, ProtocolStream> Opened { get; } = [];

    /// <summary>Streams that the test opens.</summary>
    public static StreamId Ours(ulong sequence, StreamClass streamClass = StreamClass.Ordinary) => new(sequence, streamClass, openedByInitiator: true);

    public static StreamId Theirs(ulong sequence, StreamClass streamClass = StreamClass.Ordinary) => new(sequence, streamClass, openedByInitiator: false);

    /// <summary>Sends one packet of these frames and lets the connection do what it has to.</summary>
    public Puppet Send(params byte[][] frames)
    {
        Give(frames);
        return Work();
    }

    /// <summary>Sends one packet; the connection does not get to answer yet.</summary>
    public Puppet Give(params byte[][] frames)
    {
        Target.HandleDatagram(Seal([.. frames.SelectMany(f => f)]), Now);
        return this;
    }

    public byte[] Seal(ReadOnlySpan<byte> payload)
    {
        byte[] datagram = new byte[payload.Length + PacketLayout.Overhead];
        payload.CopyTo(datagram.AsSpan(PacketLayout.HeaderBytes));
        Assert.True(_protector.TrySeal(datagram, payload.Length, _session.LocalConnectionId, default, _number++, Now, out _));
        return datagram;
    }

    public Puppet Work()
    {
        Target.HandleTimeout(Now);
        int length;
        while ((length = Target.PollTransmit(_buffer, Now)) > 0)
        {
            Sealed.Add(_buffer[..length]);
            Codepoints.Add(Target.Ecn);
            Assert.Equal(OpenStatus.Opened, _protector.Open(_buffer.AsSpan(0, length), default, Now, out OpenedPacket packet));
            Packets.Add((packet.PacketNumber, length, FrameView.Parse(_buffer.AsSpan(packet.PayloadOffset, packet.PayloadLength))));
        }

        while (Target.TryReadEvent(out ConnectionEvent happened))
        {
            Events.Add(happened);
            if (happened.Kind == ConnectionEventKind.StreamOpened)
            {
                Opened.Add(happened.Stream!.Id.Value, happened.Stream);
            }
            else if (happened.Kind == ConnectionEventKind.StreamWritable)
            {
                happened.Stream!.IsWritableRaised = false;
            }
        }

        return this;
    }

    public Puppet Wait(double milliseconds)
    {
        Now += TimeSpan.FromMilliseconds(milliseconds);
        return Work();
    }

    /// <summary>Acknowledges everything that the connection sent.</summary>
    public Puppet AckAll() => Packets.Count == 0 ? this : Send(FrameBytes.Ack(TimeSpan.Zero, (0, Packets[^1].Number)));

    /// <summary>Whether each of <see cref="Packets"/> asked for marks.</summary>
    public List<EcnCodepoint> Codepoints { get; } = [];

    public Puppet Forget()
    {
        Packets.Clear();
        Sealed.Clear();
        Codepoints.Clear();
        return this;
    }

    /// <summary>Takes what can be read; the result ends with what is missing.</summary>
    public byte[] Read(ProtocolStream stream, int atMost = int.MaxValue)
    {
        byte[] bytes = new byte[Math.Min(atMost, 1 << 20)];
        int count = Target.Streams.Read(stream, bytes, Now);
        return bytes[..count];
    }

    public void AssertClosed(ulong code)
    {
        Assert.False(Target.IsOpen);
        Assert.Equal((false, code), (Target.End.ByRemote, Target.End.Code));
        Assert.Equal(code, Assert.Single(Frames, f => f.Type == FrameType.Close).Code);
    }

    public void Dispose()
    {
        Target.Dispose();
        _protector.Dispose();
    }

}
