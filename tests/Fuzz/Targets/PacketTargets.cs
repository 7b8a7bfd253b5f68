using System.Buffers.Binary;
using AgentMesh.Fuzz.Engine;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Tests.Handshake;

namespace AgentMesh.Fuzz.Targets;

/// <summary>Handshakes, packets and their frames.</summary>
internal static class PacketTargets
{
    public static IEnumerable<FuzzTarget> All =>
    [
        // From anybody: datagrams as they arrive, and with the first MAC made right, which whoever knows the public key can do.
        new() { Name = "handshake-datagram", Seeds = Datagrams, Parse = bytes => Responder(bytes, isRepaired: false), AllocatedBytesBase = 256 * 1024 },
        new() { Name = "handshake-after-mac", Seeds = Datagrams, Parse = bytes => Responder(bytes, isRepaired: true), AllocatedBytesBase = 256 * 1024 },

        // From a device that has the keys: what stands inside the seals.
        new() { Name = "handshake-initiation-payload", Seeds = InitiationPayloads, Parse = Initiation, InputBytesMax = InitiationPayload.Size, AllocatedBytesBase = 256 * 1024 },
        new() { Name = "handshake-response", Seeds = () => [new byte[ResponseMessage.Size], new byte[CookieReplyMessage.Size]], Parse = Initiator, InputBytesMax = 200, AllocatedBytesBase = 256 * 1024 },
        new() { Name = "packet", Seeds = () => [Packet([1]), Packet(new byte[1_200])], Parse = Open },
        new() { Name = "packet-frames", Seeds = () => FrameSeeds, Parse = Frames, AllocatedBytesBase = 1 << 20, AllocatedBytesPerByte = 512 },
        new() { Name = "transport-parameters", Seeds = ParameterSeeds, Parse = Parameters, InputBytesMax = 64, AllocatedBytesBase = 1 << 20 },
        new() { Name = "rekey-message", Seeds = () => [[1, 0, 0, 0, 1, .. new byte[32]], [2, 0, 0, 0, 1, .. new byte[32]]], Parse = Rekey, InputBytesMax = 64 },
        .. FrameParsers,
    ];

    private delegate bool Reader(ref ReadOnlySpan<byte> source);

    /// <summary>Each frame alone: where it ends, whatever it says.</summary>
    private static IEnumerable<FuzzTarget> FrameParsers =>
    [
        Frame("frame-ack", FrameType.Ack, static (ref ReadOnlySpan<byte> source) => AckFrame.TryRead(ref source, out AckFrame ack) && Walk(ack)),
        Frame("frame-close", FrameType.Close, static (ref ReadOnlySpan<byte> source) => CloseFrame.TryRead(ref source, out _)),
        Frame("frame-ecn-counts", FrameType.EcnCounts, static (ref ReadOnlySpan<byte> source) => EcnCountsFrame.TryRead(ref source, out _)),
        Frame("frame-ack-frequency", FrameType.AckFrequency, static (ref ReadOnlySpan<byte> source) => AckFrequencyFrame.TryRead(ref source, out _)),
        Frame("frame-rekey", FrameType.Rekey, static (ref ReadOnlySpan<byte> source) => RekeyFrame.TryRead(ref source, out _)),
        Frame("frame-path", FrameType.PathChallenge, static (ref ReadOnlySpan<byte> source) => PathFrame.TryRead(ref source, out _)),
        Frame("frame-reset-stream", FrameType.ResetStream, static (ref ReadOnlySpan<byte> source) => ResetStreamFrame.TryRead(ref source, out _)),
        Frame("frame-stop-sending", FrameType.StopSending, static (ref ReadOnlySpan<byte> source) => StopSendingFrame.TryRead(ref source, out _)),
        Frame("frame-max-data", FrameType.MaxData, static (ref ReadOnlySpan<byte> source) => MaxDataFrame.TryRead(ref source, out _)),
        Frame("frame-max-stream-data", FrameType.MaxStreamData, static (ref ReadOnlySpan<byte> source) => MaxStreamDataFrame.TryRead(ref source, out _)),
        Frame("frame-max-streams", FrameType.MaxStreams, static (ref ReadOnlySpan<byte> source) => MaxStreamsFrame.TryRead(ref source, out _)),
        Frame("frame-stream", FrameType.Stream, static (ref ReadOnlySpan<byte> source) => source.Length > 0 && StreamFrame.TryRead(source[0], ref Skip(ref source), out _, out _)),
    ];

    private static StreamId Theirs => new(0, StreamClass.Ordinary, openedByInitiator: true);

    private static IReadOnlyList<byte[]> FrameSeeds { get; } =
    [
        FrameBytes.Ping,
        FrameBytes.Stream(Theirs, 0, "hello"u8, fin: true),
        FrameBytes.Stream(new StreamId(3, StreamClass.Bulk, openedByInitiator: true), 70_000, new byte[100]),
        FrameBytes.Ack(TimeSpan.FromMilliseconds(3), (5, 9), (0, 2)),
        FrameBytes.EcnCounts(1_000, 0, 11),
        [.. FrameBytes.EcnCounts(1UL << 30, 1, 70_000), .. FrameBytes.Ack(TimeSpan.Zero, (0, 0))],
        FrameBytes.AckFrequency(TimeSpan.FromMilliseconds(10)),
        [.. FrameBytes.AckFrequency(TimeSpan.Zero), .. FrameBytes.Stream(Theirs, 0, "a"u8)],
        FrameBytes.Reset(Theirs, 7, 5),
        FrameBytes.Stop(Theirs, 9),
        FrameBytes.MaxData(StreamClass.Control, 1 << 20),
        FrameBytes.MaxStreamData(Theirs, 70_000),
        FrameBytes.MaxStreams(StreamClass.Bulk, 5),
        FrameBytes.Close(2, "good bye"),
        FrameBytes.Rekey([1, 0, 0, 0, 1, .. new byte[32]]),
        FrameBytes.Path(FrameType.PathChallenge, new byte[8]),
        FrameBytes.Path(FrameType.PathResponse, new byte[8]),
        [.. FrameBytes.Ping, .. FrameBytes.Stream(Theirs, 0, "a"u8), .. FrameBytes.MaxData(StreamClass.Bulk, 9), 0, 0],
    ];

    private static FuzzTarget Frame(string name, FrameType type, Reader read) => new()
    {
        Name = name,
        Seeds = () => [.. FrameSeeds.Where(seed => seed[0] == (byte)type || (type == FrameType.Stream && StreamFrame.IsType(seed[0]))).Select(seed => type == FrameType.Stream ? seed : seed[1..])],
        Parse = bytes =>
        {
            ReadOnlySpan<byte> rest = bytes;
            bool good = read(ref rest);
            return (good ? 1_000 : 0) + Math.Min(bytes.Length - rest.Length, 99);
        },
        InputBytesMax = 600,
        AllocatedBytesBase = 4_096,
    };

    private static ref ReadOnlySpan<byte> Skip(ref ReadOnlySpan<byte> source)
    {
        source = source[1..];
        return ref source;
    }

    private static bool Walk(AckFrame ack)
    {
        ulong above = ulong.MaxValue;
        foreach (PacketRange range in ack)
        {
            Assert.True(range.First <= range.Last && range.Last < above, "ranges of an acknowledgement overlap or run upwards");
            above = range.First;
        }

        return true;
    }

    private static HandshakeEndpoint Endpoint(bool isAdmitted = true)
    {
        var admission = new TestAdmission(new InvitationBook());
        if (isAdmitted)
        {
            admission.Admitted.Add(Devices.Other.PublicKey);
        }

        return new HandshakeEndpoint(Devices.Own, admission, new HandshakeSettings(), new InitiationStamps(0, null), default, new SeededEntropy(3));
    }

    private static IEnumerable<byte[]> Datagrams()
    {
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        using var other = new HandshakeEndpoint(Devices.Other, new TestAdmission(), new HandshakeSettings(), new InitiationStamps(0, null), default, new SeededEntropy(4));
        other.TryConnect(Devices.Own.PublicKey, [Devices.Place], default, Devices.Now);
        other.TryTransmit(buffer, out HandshakeTransmit sent);
        yield return buffer[..sent.Length];
        using HandshakeEndpoint own = Endpoint();
        own.HandleDatagram(buffer.AsSpan(0, sent.Length), Devices.Place, Devices.Now);
        if (own.TryTransmit(buffer, out sent))
        {
            yield return buffer[..sent.Length];
        }
    }

    private static int Responder(byte[] bytes, bool isRepaired)
    {
        using HandshakeEndpoint own = Endpoint();
        if (isRepaired && bytes.Length == InitiationMessage.Size)
        {
            new HandshakeMacs(Devices.Own.PublicKey).Write(bytes.AsSpan(0, InitiationMessage.Mac1Offset), bytes.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes));
        }

        int outcome = (int)own.HandleDatagram(bytes, Devices.Place, Devices.Now);
        return Answers(own, bytes.Length) + outcome;
    }

    // Never more than three times what came.
    private static int Answers(HandshakeEndpoint endpoint, int cameBytes)
    {
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        int sentBytes = 0;
        while (endpoint.TryTransmit(buffer, out HandshakeTransmit sent))
        {
            sentBytes += sent.Length;
        }

        Assert.True(sentBytes <= 3 * cameBytes, $"{sentBytes} bytes answer {cameBytes}");
        return sentBytes > 0 ? 100 : 0;
    }

    private static IEnumerable<byte[]> InitiationPayloads()
    {
        foreach (ulong stamp in (ulong[])[1, ulong.MaxValue])
        {
            byte[] payload = new byte[InitiationPayload.Size];
            new InitiationPayload(Devices.Other.PublicKey, stamp, 7, default, new byte[32]).Write(payload);
            yield return payload;
        }
    }

    /// <summary>The payload, sealed by the device that it may or may not name.</summary>
    private static int Initiation(byte[] bytes)
    {
        byte[] payload = new byte[InitiationPayload.Size];
        bytes.AsSpan(0, Math.Min(bytes.Length, payload.Length)).CopyTo(payload);
        byte[] message = new byte[InitiationMessage.Size], ephemeral = new byte[X25519.KeyBytes];
        new SeededEntropy(5).Fill(ephemeral);
        InitiationMessage.WriteHeader(message, CipherSuite.ChaCha20Poly1305, new ConnectionId(9));
        using (var noise = new HandshakeState(
            NoisePattern.IKpsk2, CipherSuite.ChaCha20Poly1305, isInitiator: true, InitiationMessage.Prologue(message), ephemeral,
            Devices.Other.AgreementPrivate, Devices.Other.AgreementPublic, Devices.Own.AgreementPublic))
        {
            noise.TryWrite(payload, message.AsSpan(InitiationMessage.HeaderBytes, InitiationMessage.NoiseBytes), out _);
        }

        new HandshakeMacs(Devices.Own.PublicKey).Write(message.AsSpan(0, InitiationMessage.Mac1Offset), message.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes));
        using HandshakeEndpoint own = Endpoint();
        int outcome = (int)own.HandleDatagram(message, Devices.Place, Devices.Now);
        return Answers(own, message.Length) + outcome;
    }

    /// <summary>Answers to an initiation of this device, with its connection id in them.</summary>
    private static int Initiator(byte[] bytes)
    {
        using HandshakeEndpoint own = Endpoint();
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        own.TryConnect(Devices.Other.PublicKey, [Devices.Place], default, Devices.Now);
        own.TryTransmit(buffer, out _);
        if (bytes.Length >= 12)
        {
            bytes[0] = (byte)(bytes.Length == CookieReplyMessage.Size ? DatagramKind.CookieReply : DatagramKind.Response);
            bytes[1] = InitiationMessage.Version;
            bytes[2] = bytes[3] = 0;
            buffer.AsSpan(4, ConnectionId.Size).CopyTo(bytes.AsSpan(4));
        }

        if (bytes.Length == ResponseMessage.Size)
        {
            new HandshakeMacs(Devices.Own.PublicKey).Write(bytes.AsSpan(0, ResponseMessage.Mac1Offset), bytes.AsSpan(ResponseMessage.Mac1Offset));
        }

        int outcome = (int)own.HandleDatagram(bytes, Devices.Place, Devices.Now);
        Assert.False(own.TryReadEvent(out _), "an answer without keys ended or made a connection");
        return outcome;
    }

    private static byte[] Packet(ReadOnlySpan<byte> payload)
    {
        using PacketProtector sender = TestSessions.Protector(isInitiator: true);
        byte[] datagram = new byte[payload.Length + PacketLayout.Overhead];
        payload.CopyTo(datagram.AsSpan(PacketLayout.HeaderBytes));
        sender.TrySeal(datagram, payload.Length, new ConnectionId(0x0b0b0b0b), default, 0, TestSessions.Start, out _);
        return datagram;
    }

    private static int Open(byte[] bytes)
    {
        using PacketProtector receiver = TestSessions.Protector(isInitiator: false);
        return (int)receiver.Open(bytes, default, TestSessions.Start, out _) + (PacketLayout.TryReadDestination(bytes, out _) ? 10 : 0);
    }

    /// <summary>The input is cut into packets: a length byte before each, in fours of bytes.</summary>
    private static int Frames(byte[] bytes)
    {
        using PacketProtector sender = TestSessions.Protector(isInitiator: true);
        using var target = new Connection(TestSessions.Of(isInitiator: false, TransportParameters.Of(new ConnectionSettings())), new ConnectionSettings(), MtuSettings.Fixed(1_200), TestSessions.Start, new SeededEntropy(6));
        byte[] buffer = new byte[2_048];
        TimeSpan now = TestSessions.Start;
        ulong number = 0;
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty && number < 64)
        {
            // Inputs that are one packet, as the seeds, stay one.
            int length = number == 0 && rest.Length < 600 ? rest.Length : Math.Min(rest.Length, 4 * rest[0]);
            ReadOnlySpan<byte> payload = rest[..Math.Min(length, 1_100)];
            rest = rest[Math.Max(1, length)..];
            byte[] datagram = new byte[payload.Length + PacketLayout.Overhead];
            payload.CopyTo(datagram.AsSpan(PacketLayout.HeaderBytes));
            sender.TrySeal(datagram, payload.Length, new ConnectionId(0x0b0b0b0b), default, number++, now, out _);
            target.HandleDatagram(datagram, Devices.Place, now);
            target.HandleTimeout(now);
            for (int sent = 0; target.PollTransmit(buffer, now) > 0; sent++)
            {
                Assert.True(sent < 200, "one packet is answered with two hundred");
            }

            while (target.TryReadEvent(out _))
            {
            }

            now += TimeSpan.FromMilliseconds(1);
        }

        return target.IsOpen ? (int)(number > 1 ? 2 : 1) + (target.Streams.Count << 8) : (int)(target.End.Code << 16) + (target.End.ByRemote ? 3 : 4);
    }

    private static IEnumerable<byte[]> ParameterSeeds()
    {
        byte[] bytes = new byte[TransportParameters.Size];
        TransportParameters.Of(new ConnectionSettings()).Write(bytes);
        return [bytes];
    }

    private static int Parameters(byte[] bytes)
    {
        byte[] whole = new byte[TransportParameters.Size];
        bytes.AsSpan(0, Math.Min(bytes.Length, whole.Length)).CopyTo(whole);
        EstablishedSession session = TestSessions.Of(isInitiator: true, default) with { RemoteParameters = whole };
        using var target = new Connection(session, new ConnectionSettings(), new MtuSettings(), TestSessions.Start, new SeededEntropy(6));
        byte[] buffer = new byte[65_536];
        if (target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream))
        {
            target.Streams.Write(stream!, new byte[5_000]);
        }

        TimeSpan now = TestSessions.Start;
        for (int i = 0; i < 20; i++)
        {
            target.HandleTimeout(now);
            for (int sent = 0; target.PollTransmit(buffer, now) > 0; sent++)
            {
                Assert.True(sent < 200, "more is sent than there is");
            }

            now = target.NextTimeout() is var next && next > now && next < now + TimeSpan.FromSeconds(5) ? next : now + TimeSpan.FromMilliseconds(10);
        }

        return (target.IsOpen ? 1 : 0) + (stream is null ? 2 : 0);
    }

    private static int Rekey(byte[] bytes)
    {
        using PacketProtector protector = TestSessions.Protector(isInitiator: false);
        bool taken = protector.HandleRekey(bytes, TestSessions.Start);
        return (taken ? 1 : 0) + (RekeyMessage.TryRead(bytes, out RekeyMessage message) ? 2 + ((int)message.Kind << 4) + (int)Math.Min(message.Epoch, 8) : 0);
    }
}
