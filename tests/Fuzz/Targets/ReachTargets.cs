using System.Net;
using System.Text;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Wire;
using AgentMesh.Fuzz.Engine;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Gateways.Upnp;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport.Stun;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Fuzz.Targets;

/// <summary>Everything that strangers on the link, gateways, beacons, STUN servers and nodes of the DHT may send.</summary>
internal static class ReachTargets
{
    private const string Igd = """
        <?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><URLBase>http://192.0.2.7:5000/</URLBase><device><serviceList><service>
        <serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl/IPConn</controlURL></service></serviceList></device></root>
        """;

    private const string Soap = """
        <?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">
        <NewExternalIPAddress>203.0.113.7</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>
        """;

    private const string Fault = """
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><detail><UPnPError>
        <errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>
        """;

    private static readonly string[] XmlWords = ["<", "</", "/>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "&amp;", "&#x0;", "&lol;", "<!DOCTYPE a [<!ENTITY lol \"lol\">]>", "xmlns:", "service", "controlURL", "http://192.0.2.7/", "http://[::1]/"];

    public static IEnumerable<FuzzTarget> All =>
    [
        new() { Name = "lan-announcement", Seeds = Announcements, Parse = Announcement, InputBytesMax = 200 },
        new() { Name = "mdns", Seeds = DnsSeeds, Parse = Dns, InputBytesMax = DnsMessage.BytesMax, AllocatedBytesBase = 512 * 1024, AllocatedBytesPerByte = 2_048 },
        new() { Name = "bencode", Seeds = BencodeSeeds, Parse = bytes => Bencode.TryRead(bytes) is { } value ? 1 + value.GetType().Name.Length : 0, AllocatedBytesPerByte = 256, Words = ["d", "l", "i", "e", "1:", "0:", "-0", "999999999:", "i9223372036854775808e"] },
        new() { Name = "dht-message", Seeds = DhtSeeds, Parse = DhtMessage, AllocatedBytesPerByte = 256, Words = ["1:t8:", "1:y1:r", "1:rd", "2:id20:", "5:nodes", "6:nodes6", "5:token", "1:k32:", "3:seqi", "3:sig64:", "1:v"] },
        new() { Name = "dht-record", Seeds = () => [Sealed([Devices.Place, Devices.Place6]).Value], Parse = DhtValue },
        new() { Name = "stun", Seeds = StunSeeds, Parse = Stun, InputBytesMax = 600 },
        new() { Name = "turn-stream", Seeds = TurnStreamSeeds, Parse = TurnStream, AllocatedBytesBase = 128 * 1024 },
        new() { Name = "turn-server-text", Seeds = () => Texts("turn:turn.example.org:3478?transport=tcp", "turns:[2001:db8::7]", "turn:192.0.2.7"), Parse = bytes => TurnServer.TryParse(Text(bytes), out TurnServer? server) ? 1 + (int)server.Transport : 0, IsText = true, InputBytesMax = 300 },
        new() { Name = "stun-server-text", Seeds = () => Texts("stun.example.org:3478", "192.0.2.7", "[2001:db8::7]:3478"), Parse = bytes => StunServer.TryParse(Text(bytes), out _) ? 1 : 0, IsText = true, InputBytesMax = 300 },
        new() { Name = "pcp", Seeds = PcpSeeds, Parse = PcpAnswer, InputBytesMax = Pcp.DatagramBytesMax + 8 },
        new() { Name = "nat-pmp", Seeds = NatPmpSeeds, Parse = NatPmpAnswer, InputBytesMax = 64 },
        new() { Name = "ssdp", Seeds = SsdpSeeds, Parse = bytes => Ssdp.TryRead(bytes, Devices.Place.Address, out _) ? 1 : 0, IsText = true, Words = ["LOCATION:", "ST:", "\r\n", "http://192.0.2.7/"], AllocatedBytesPerByte = 128 },
        new() { Name = "upnp-description", Seeds = () => Texts(Igd), Parse = bytes => IgdDescription.TryRead(bytes, new Uri("http://192.0.2.7:5000/d.xml"), Devices.Place.Address, out _) ? 1 : 0, IsText = true, Words = XmlWords, AllocatedBytesPerByte = 256 },
        new() { Name = "upnp-answer", Seeds = () => Texts(Soap, Fault), Parse = bytes => SoapCall.GetExternalIpAddress.TryRead(bytes, out SoapAnswer answer) ? 1 + Math.Abs(answer.Error % 1_000) + answer.Text.Length : 0, IsText = true, Words = XmlWords, AllocatedBytesPerByte = 256 },
        new() { Name = "beacon-frame", Seeds = BeaconSeeds, Parse = BeaconFrameOf, InputBytesMax = BeaconFrame.BodyBytesMax + 1, AllocatedBytesPerByte = 64 },
        new() { Name = "beacon-address", Seeds = () => Texts(BeaconText, BeaconText + ",udp", BeaconText + ",wss://b.example.org:8443/x"), Parse = bytes => BeaconAddress.TryParse(Text(bytes), out BeaconAddress? beacon) ? 1 + beacon.Name.Length : 0, IsText = true, InputBytesMax = 400, Words = ["#", ",udp", ",wss://", "[", "]:"] },
        new() { Name = "relay-envelope", Seeds = EnvelopeSeeds, Parse = Envelope, InputBytesMax = 64 },
        new() { Name = "wire-address", Seeds = () => [WireAddress.ToBytes(Devices.Place), WireAddress.ToBytes(Devices.Place6)], Parse = bytes => bytes.Length < WireAddress.Size ? 0 : WireAddress.TryRead(bytes) is { } at ? 1 + (int)at.AddressFamily : 99, InputBytesMax = 32 },
    ];

    private static string BeaconText => $"beacon.example.org:14590#{Devices.Own.PublicKey}";

    internal static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(Encoding.UTF8.GetBytes);

    internal static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static IEnumerable<byte[]> TurnStreamSeeds()
    {
        byte[] channel = new byte[TurnChannelData.HeaderBytes + 5];
        TurnChannelData.Write(channel, TurnChannelData.First, "hello"u8);
        byte[][] stun = [.. StunSeeds()];
        yield return [.. stun[0], .. channel, 0, 0, 0, .. stun[^1]];
        yield return [0x40, 0, 0xFF, 0xFF, .. new byte[3_000]];
    }

    // In pieces, as a stream brings them; what is found does not depend on where it is cut.
    private static int TurnStream(byte[] bytes)
    {
        var framer = new TurnStreamFramer();
        int messages = 0;
        for (int at = 0, piece = 1; at < bytes.Length && !framer.IsBroken; at += piece, piece = (piece * 3) + 1)
        {
            piece = Math.Min(Math.Min(piece, bytes.Length - at), framer.Free.Length);
            bytes.AsMemory(at, piece).CopyTo(framer.Free);
            framer.Received(piece);
            while (framer.TryRead(out Span<byte> message))
            {
                messages += message.Length <= TurnStreamFramer.MessageBytesMax ? 1 : throw new InvalidDataException("longer than the bound");
            }
        }

        return messages + (framer.IsBroken ? 1_000 : 0) + (framer.PassedOver > 0 ? 2_000 : 0);
    }

    private static IEnumerable<byte[]> Announcements()
    {
        var announcer = new LanAnnouncer(Devices.Other);
        yield return announcer.Announce(Devices.Place.Address, 14590, wantsAnswer: true, Devices.Wall);
        yield return announcer.Announce(Devices.Place6.Address, 1, wantsAnswer: false, Devices.Wall);
    }

    private static int Announcement(byte[] bytes)
    {
        var listener = new LanListener();
        listener.Admit([Devices.Other.PublicKey]);
        return (int)listener.Handle(bytes, Devices.Place.Address, Devices.Now, out _);
    }

    private static IEnumerable<byte[]> DnsSeeds()
    {
        var records = new MdnsService(MdnsNames.InstanceOf(Devices.Other.PublicKey, MdnsNames.DayOf(Devices.Wall)), 14590, [Devices.Place.Address, Devices.Place6.Address], "box").Records(0);
        yield return DnsWriter.Answer(records.All, []);
        yield return DnsWriter.Query([new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, WantsUnicast: true), new DnsQuestion(records.Host, DnsType.A, false)], [records.All[0]], [.. records.Unique]);
        yield return DnsWriter.LegacyAnswer(7, [new DnsQuestion(records.Host, DnsType.Aaaa, false)], records.All, []);
    }

    /// <summary>As a browser and as a responder take it.</summary>
    private static int Dns(byte[] bytes)
    {
        if (Protocol.Discovery.Mdns.DnsMessage.TryRead(bytes) is not { } message)
        {
            return 0;
        }

        var browser = new MdnsBrowser(new SeededEntropy(7), Devices.Now.Monotonic);
        int seen = browser.Handle(message, _ => Devices.Other.Id, Devices.Now.Monotonic).Count;
        var responder = new MdnsResponder(new MdnsService("abc", 14590, [Devices.Place.Address], null), new SeededEntropy(8), Devices.Now.Monotonic);
        responder.Handle(message, Devices.Place, isOwn: false, Devices.Now.Monotonic);
        responder.Tick(Devices.Now.Monotonic + TimeSpan.FromSeconds(5));
        int answers = 0;
        while (responder.TryTransmit(out MdnsTransmit sent))
        {
            Assert.True(sent.Bytes.Length <= Protocol.Discovery.Mdns.DnsMessage.BytesMax && ++answers < 20, "an answer is larger than a message may be, or one of too many");
        }

        return 1 + (message.IsResponse ? 2 : 0) + (Math.Min(seen, 3) << 2) + (Math.Min(answers, 3) << 4) + (Math.Min(message.Questions.Count, 3) << 6) + (Math.Min(message.Records.Count(), 3) << 8);
    }

    private static IEnumerable<byte[]> BencodeSeeds() => [.. DhtSeeds(), .. Texts("d1:ai5e1:bl3:xyzi-7eee", "le", "i0e", "0:")];

    private static DhtItem Sealed(IReadOnlyList<IPEndPoint> addresses) =>
        DhtRecord.TryCreate(Devices.Other, Devices.Own.PublicKey, isOwn: true, DhtRecord.DayOf(Devices.Wall))!.Seal(addresses, 5);

    private static IEnumerable<byte[]> DhtSeeds()
    {
        DhtItem item = Sealed([Devices.Place]);
        byte[] number = new byte[8], id = new byte[20];
        byte[] nodes = [.. id, 192, 0, 2, 9, 26, 225];
        byte[] nodes6 = [.. id, 0x20, 0x01, 0x0D, 0xB8, .. new byte[11], 9, 26, 225];
        var body = Bencode.Dictionary(("id", id), ("k", item.Key), ("nodes", nodes), ("nodes6", nodes6), ("seq", item.Sequence), ("sig", item.Signature), ("token", "abcd"u8.ToArray()), ("v", item.Value));
        yield return Bencode.Write(Bencode.Dictionary(("r", body), ("t", number), ("y", "r"u8.ToArray())));
        yield return Bencode.Write(Bencode.Dictionary(("e", "x"u8.ToArray()), ("t", number), ("y", "e"u8.ToArray())));
        yield return DhtReply.Get(1, new DhtId(id), item.Target);
    }

    private static int DhtMessage(byte[] bytes)
    {
        var search = new DhtSearch(new DhtId(new byte[20]), Sealed([Devices.Place]).Target, null, new DhtNodes(), [Devices.Place], new SeededEntropy(9), Devices.Now.Monotonic);
        search.TryTransmit(out (IPEndPoint To, byte[] Bytes) asked);
        if (DhtReply.TryRead(bytes) is not { } reply)
        {
            return 0;
        }

        ulong transaction = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian((byte[])Bencode.Dictionary(("t", ((SortedDictionary<string, object>)Bencode.TryRead(asked.Bytes)!)["t"]))["t"]);
        bool isTaken = search.Handle(reply with { Transaction = transaction }, Devices.Place, Devices.Now.Monotonic);
        return 1 + (isTaken ? 2 : 0) + (reply.Id is null ? 0 : 4) + (reply.Token is null ? 0 : 8) + (reply.Item is null ? 0 : 16) + (Math.Min(reply.Nodes.Count, 4) << 5) + (Math.Min(reply.Nodes6.Count, 4) << 8);
    }

    /// <summary>A value under the right key, as nodes of the DHT cannot make it but the other device can.</summary>
    private static int DhtValue(byte[] bytes)
    {
        DhtItem item = Sealed([Devices.Place]);
        DhtRecord record = DhtRecord.TryCreate(Devices.Own, Devices.Other.PublicKey, isOwn: false, DhtRecord.DayOf(Devices.Wall))!;
        return record.TryOpen(item with { Value = bytes }) is { } addresses ? 1 + addresses.Count : 0;
    }

    private static IEnumerable<byte[]> StunSeeds()
    {
        byte[] request = new byte[StunMessage.HeaderBytes + StunFingerprint.AttributeBytes];
        new StunWriter(request, StunType.BindingRequest, new StunTransactionId(1, 2)).AddFingerprint();
        yield return request;
        yield return [1, 1, 0, 12, 0x21, 0x12, 0xA4, 0x42, .. new byte[12], 0, 0x20, 0, 8, 0, 1, 0x12, 0x34, 1, 2, 3, 4];
        yield return [1, 0x11, 0, 24, 0x21, 0x12, 0xA4, 0x42, .. new byte[12], 0, 9, 0, 8, 0, 0, 3, 0, 84, 114, 121, 33, 0x80, 0x23, 0, 8, 0, 1, 0xD, 0x96, 192, 0, 2, 9];
    }

    private static int Stun(byte[] bytes)
    {
        if (!StunMessage.TryRead(bytes, out StunMessage message))
        {
            return StunMessage.IsLikely(bytes) ? 1 : 0;
        }

        var binding = new StunBinding(Devices.Place, new SeededEntropy(10), Devices.Now.Monotonic);
        binding.TryTransmit(Devices.Now.Monotonic, out ReadOnlySpan<byte> asked);
        byte[] answer = [.. bytes];
        asked.Slice(8, StunTransactionId.Bytes).CopyTo(answer.AsSpan(8));
        bool isTaken = StunMessage.TryRead(answer, out StunMessage own) && binding.Handle(own, Devices.Place, Devices.Now.Monotonic);
        return 2 + (isTaken ? 2 : 0) + (binding.Mapped is null ? 0 : 4) + (message.TryGetMapped(out _) ? 8 : 0) + (message.TryGetAlternateServer(out _) ? 16 : 0) + (message.ErrorCode() << 5) + (message.ErrorReason().Length > 0 ? 1 << 20 : 0);
    }

    private static IEnumerable<byte[]> PcpSeeds()
    {
        byte[] nonce = new byte[Pcp.NonceBytes];
        byte[] map = Pcp.MapRequest(Devices.Place.Address, nonce, 14590, Devices.Place, 3_600), announce = Pcp.AnnounceRequest(Devices.Place.Address);
        map[1] |= 0x80;
        announce[1] |= 0x80;
        map[3] = announce[3] = 0;
        yield return map;
        yield return announce;
        yield return [0, 0x80, 0, 1, 0, 0, 0, 0];
    }

    private static int PcpAnswer(byte[] bytes) =>
        (Pcp.TryReadAnnounce(bytes, out PcpHeader header) ? 1 + Math.Min(header.Result, 20) : 0)
        + (Pcp.TryReadMapping(bytes, new byte[Pcp.NonceBytes], out PcpMapping mapping) ? 100 + Pcp.ResultText(mapping.Header.Result).Length + (mapping.External.Port == 0 ? 1_000 : 0) : 0)
        + (Pcp.IsUnsupportedVersion(bytes) ? 10_000 : 0);

    private static IEnumerable<byte[]> NatPmpSeeds() => [[0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7], [0, 129, 0, 0, 0, 0, 0, 9, 0x38, 0xFE, 0x38, 0xFE, 0, 0, 0x1C, 0x20], [0, 129, 0, 2, 0, 0, 0, 9]];

    private static int NatPmpAnswer(byte[] bytes) =>
        (NatPmp.TryReadAddress(bytes, out NatPmpAddress address) ? 1 + NatPmp.ResultText(address.Result).Length : 0)
        + (NatPmp.TryReadMapping(bytes, out NatPmpMapping mapping) ? 1_000 + NatPmp.ResultText(mapping.Result).Length : 0);

    private static IEnumerable<byte[]> SsdpSeeds() =>
        Texts($"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {Ssdp.Targets[0]}\r\nUSN: uuid:x\r\nLOCATION: http://192.0.2.7:5000/rootDesc.xml\r\n\r\n");

    private static IEnumerable<byte[]> BeaconSeeds()
    {
        UInt128[] places = [1, UInt128.MaxValue];
        DeviceId[] devices = [Devices.Own.Id, Devices.Other.Id];
        byte[] message = new byte[40];
        BeaconFrame[] frames =
        [
            new(BeaconFrameType.Hello, Devices: devices, Meetings: places),
            new(BeaconFrameType.Ping, 7),
            new(BeaconFrameType.Welcome, 9, Devices.Place),
            new(BeaconFrameType.Observed, Address: Devices.Place6),
            new(BeaconFrameType.Channel, 3, Devices: [Devices.Own.Id]),
            new(BeaconFrameType.Gone, 3),
            new(BeaconFrameType.Limited, 3, Count: 5),
            new(BeaconFrameType.Confirm, 3, Devices.Place),
            new(BeaconFrameType.Confirmed, 3, Devices.Place, Count: 1),
            new(BeaconFrameType.Observer, Count: 14591, Meetings: [places[0]]),
            new(BeaconFrameType.CodePlaces, Meetings: places),
            new(BeaconFrameType.CodePlace, Count: 1, Meetings: [places[0]]),
            new(BeaconFrameType.CodeAsk, Meetings: [places[0]], Message: message),
            new(BeaconFrameType.CodeAsked, Count: 4, Message: message),
            new(BeaconFrameType.CodeNobody, Count: 1, Meetings: [places[1]]),
        ];
        return frames.Select(frame => frame.ToBytes()[BeaconFrame.LengthBytes..]);
    }

    /// <summary>What is understood is written again as it came.</summary>
    private static int BeaconFrameOf(byte[] bytes)
    {
        if (BeaconFrame.TryRead(bytes) is not { } frame)
        {
            return bytes.Length == 0 ? -1 : -2 - bytes[0];
        }

        if (Enum.IsDefined(frame.Type))
        {
            byte[] again = frame.ToBytes();
            Assert.True(again.Length == bytes.Length + BeaconFrame.LengthBytes, "a frame is written with another length than it was read with");
        }

        return (byte)frame.Type + (frame.Address is null ? 0 : 256) + (frame.Devices is { Count: > 0 } ? 512 : 0);
    }

    private static IEnumerable<byte[]> EnvelopeSeeds()
    {
        byte[] notice = new byte[RelayEnvelope.NoticeBytes], envelope = new byte[RelayEnvelope.HeaderBytes + 5];
        RelayEnvelope.WriteNotice(notice, 77);
        RelayEnvelope.Write(envelope, 77, "hello"u8);
        return [notice, envelope, ObserverMessages.Question(5, 6, fromOtherPort: true), ObserverMessages.Question(5, 6, fromOtherPort: false, answerTo: 7), ObserverMessages.Answer(6, Devices.Place)];
    }

    private static int Envelope(byte[] bytes) =>
        (RelayEnvelope.TryRead(bytes, out _) ? 1 : 0) + (RelayEnvelope.TryReadNotice(bytes, out _) ? 2 : 0)
        + (ObserverMessages.TryReadQuestion(bytes, out _, out _, out bool other, out ushort answerTo) ? other ? 4 : answerTo != 0 ? 32 : 8 : 0) + (ObserverMessages.TryReadAnswer(bytes, out _) is null ? 0 : 16);
}
