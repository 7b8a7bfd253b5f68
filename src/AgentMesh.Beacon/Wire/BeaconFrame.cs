using System.Buffers.Binary;
using System.Net;
using System.Text;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Beacon.Wire;

/// <summary>One message between a device and a beacon: docs/protocol/beacon-v1.md. Only the fields of its type are set.</summary>
/// <param name="Value">The bytes of Ping and Pong, the channel of Channel, Gone, Limited, Confirm and Confirmed, the bytes a second of Welcome.</param>
/// <param name="Address">Of Welcome, Observed, Confirm and Confirmed.</param>
/// <param name="Devices">Of Hello; the one of Channel.</param>
/// <param name="Count">Datagrams of Limited; 1 or 0 of Confirmed; the port of Observer; the caller of CodeAsked and CodeAnswer; the status of CodePlace; the reason of CodeNobody.</param>
/// <param name="Meetings">Of Hello: who else says one of these is to be met too. The ticket of Observer. The places of CodePlaces; the one of CodePlace, CodeAsk, CodeAnswered and CodeNobody.</param>
/// <param name="Message">Of pairing-v1, in CodeAsk, CodeAsked, CodeAnswer and CodeAnswered.</param>
internal sealed partial record BeaconFrame(
    BeaconFrameType Type, ulong Value = 0, IPEndPoint? Address = null, IReadOnlyList<DeviceId>? Devices = null, uint Count = 0, IReadOnlyList<UInt128>? Meetings = null, byte[]? Message = null)
{
    public const byte Version = 1;
    public const int LengthBytes = 2;
    public const int DevicesMax = 1024;
    public const int MeetingsMax = 32;
    public const int BodyBytesMax = 1 + 1 + sizeof(ushort) + (DevicesMax * DeviceId.TextLength) + 1 + (MeetingsMax * MeetingBytes);

    private const int MeetingBytes = 16;

    private const int AddressBytes = WireAddress.Size;

    public byte[] ToBytes()
    {
        byte[] body = Body();
        byte[] frame = new byte[LengthBytes + 1 + body.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)(1 + body.Length));
        frame[LengthBytes] = (byte)Type;
        body.CopyTo(frame, LengthBytes + 1);
        return frame;
    }

    /// <summary>Takes the type and the body of a frame. Null for bytes that break the rules; a type that is not known gives a frame of that type with nothing in it.</summary>
    public static BeaconFrame? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return null;
        }

        var type = (BeaconFrameType)bytes[0];
        ReadOnlySpan<byte> body = bytes[1..];
        switch (type)
        {
            case BeaconFrameType.Hello:
                return TryReadHello(body);
            case BeaconFrameType.Ping or BeaconFrameType.Pong or BeaconFrameType.Gone when body.Length == sizeof(ulong):
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body));
            case BeaconFrameType.Welcome when body.Length == 1 + sizeof(ulong) + AddressBytes && body[0] == Version && WireAddress.TryRead(body[9..]) is { } seen:
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body[1..]), seen);
            case BeaconFrameType.Observed when body.Length == AddressBytes && WireAddress.TryRead(body) is { } seen:
                return new BeaconFrame(type, Address: seen);
            case BeaconFrameType.Channel when body.Length == sizeof(ulong) + DeviceId.TextLength && TryReadDevice(body[8..]) is { } device:
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body), Devices: [device]);
            case BeaconFrameType.Limited when body.Length == sizeof(ulong) + sizeof(uint):
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body), Count: BinaryPrimitives.ReadUInt32BigEndian(body[8..]));
            case BeaconFrameType.Confirm when body.Length == sizeof(ulong) + AddressBytes && WireAddress.TryRead(body[8..]) is { } asked:
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body), asked);
            case BeaconFrameType.Confirmed when body.Length == sizeof(ulong) + AddressBytes + 1 && body[^1] <= 1 && WireAddress.TryRead(body[8..]) is { } asked:
                return new BeaconFrame(type, BinaryPrimitives.ReadUInt64BigEndian(body), asked, Count: body[^1]);
            case BeaconFrameType.Observer when body.Length == MeetingBytes + sizeof(ushort) && BinaryPrimitives.ReadUInt16BigEndian(body[MeetingBytes..]) is > 0 and ushort port:
                return new BeaconFrame(type, Count: port, Meetings: [BinaryPrimitives.ReadUInt128BigEndian(body)]);
            case >= BeaconFrameType.CodePlaces and <= BeaconFrameType.CodeNobody:
                return TryReadCode(type, body);
            default:
                return Enum.IsDefined(type) ? null : new BeaconFrame(type);
        }
    }

    private byte[] Body()
    {
        switch (Type)
        {
            case BeaconFrameType.Hello:
                IReadOnlyList<UInt128> meetings = Meetings ?? [];
                byte[] hello = new byte[1 + sizeof(ushort) + (Devices!.Count * DeviceId.TextLength) + 1 + (meetings.Count * MeetingBytes)];
                hello[0] = Version;
                BinaryPrimitives.WriteUInt16BigEndian(hello.AsSpan(1), (ushort)Devices.Count);
                for (int i = 0; i < Devices.Count; i++)
                {
                    Encoding.ASCII.GetBytes(Devices[i].ToString(), hello.AsSpan(3 + (i * DeviceId.TextLength)));
                }

                int meetingsAt = 3 + (Devices.Count * DeviceId.TextLength);
                hello[meetingsAt] = (byte)meetings.Count;
                for (int i = 0; i < meetings.Count; i++)
                {
                    BinaryPrimitives.WriteUInt128BigEndian(hello.AsSpan(meetingsAt + 1 + (i * MeetingBytes)), meetings[i]);
                }

                return hello;
            case BeaconFrameType.Welcome:
                return [Version, .. Number(Value), .. WireAddress.ToBytes(Address!)];
            case BeaconFrameType.Observed:
                return WireAddress.ToBytes(Address!);
            case BeaconFrameType.Channel:
                return [.. Number(Value), .. Encoding.ASCII.GetBytes(Devices![0].ToString())];
            case BeaconFrameType.Limited:
                byte[] count = new byte[sizeof(uint)];
                BinaryPrimitives.WriteUInt32BigEndian(count, Count);
                return [.. Number(Value), .. count];
            case BeaconFrameType.Confirm:
                return [.. Number(Value), .. WireAddress.ToBytes(Address!)];
            case BeaconFrameType.Confirmed:
                return [.. Number(Value), .. WireAddress.ToBytes(Address!), (byte)Count];
            case BeaconFrameType.Observer:
                byte[] observer = new byte[MeetingBytes + sizeof(ushort)];
                BinaryPrimitives.WriteUInt128BigEndian(observer, Meetings![0]);
                BinaryPrimitives.WriteUInt16BigEndian(observer.AsSpan(MeetingBytes), (ushort)Count);
                return observer;
            case >= BeaconFrameType.CodePlaces and <= BeaconFrameType.CodeNobody:
                return CodeBody();
            default:
                return Number(Value);
        }
    }

    private static BeaconFrame? TryReadHello(ReadOnlySpan<byte> body)
    {
        if (body.Length < 3 || body[0] != Version)
        {
            return null;
        }

        int count = BinaryPrimitives.ReadUInt16BigEndian(body[1..]);
        ReadOnlySpan<byte> rest = body[3..];
        int meetingsAt = count * DeviceId.TextLength;
        if (count > DevicesMax || rest.Length <= meetingsAt || rest[meetingsAt] > MeetingsMax || rest.Length != meetingsAt + 1 + (rest[meetingsAt] * MeetingBytes))
        {
            return null;
        }

        var devices = new DeviceId[count];
        for (int i = 0; i < count; i++)
        {
            if (TryReadDevice(rest.Slice(i * DeviceId.TextLength, DeviceId.TextLength)) is not { } device)
            {
                return null;
            }

            devices[i] = device;
        }

        var meetings = new UInt128[rest[meetingsAt]];
        for (int i = 0; i < meetings.Length; i++)
        {
            meetings[i] = BinaryPrimitives.ReadUInt128BigEndian(rest[(meetingsAt + 1 + (i * MeetingBytes))..]);
        }

        return new BeaconFrame(BeaconFrameType.Hello, Devices: devices, Meetings: meetings);
    }

    private static DeviceId? TryReadDevice(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[DeviceId.TextLength];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = (char)bytes[i];
        }

        return DeviceId.TryParse(text, out DeviceId id) ? id : null;
    }

    private static byte[] Number(ulong value)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
