using System.Buffers.Binary;

namespace AgentMesh.Beacon.Wire;

/// <summary>The frames by which messages of pairing-v1 pass a beacon.</summary>
/// <remarks>
/// <code>
/// CodePlaces    1 count, at most 32 | so many places of 16
/// CodePlace     16 place | 1 status
/// CodeAsk       16 place | 36 to 256 message
/// CodeAsked     4 caller | 36 to 256 message
/// CodeAnswer    4 caller | 36 to 256 message
/// CodeAnswered  16 place | 36 to 256 message
/// CodeNobody    16 place | 1 reason
/// </code>
/// </remarks>
internal sealed partial record BeaconFrame
{
    public const int CodePlacesMax = 32;
    public const int CodeMessageBytesMin = 36;
    public const int CodeMessageBytesMax = 256;

    private const int PlaceBytes = 16;

    private byte[] CodeBody() => Type switch
    {
        BeaconFrameType.CodePlaces => [(byte)Meetings!.Count, .. Meetings.SelectMany(PlaceOf)],
        BeaconFrameType.CodePlace or BeaconFrameType.CodeNobody => [.. PlaceOf(Meetings![0]), (byte)Count],
        BeaconFrameType.CodeAsk or BeaconFrameType.CodeAnswered => [.. PlaceOf(Meetings![0]), .. Message!],
        _ => [.. Caller(Count), .. Message!],
    };

    private static BeaconFrame? TryReadCode(BeaconFrameType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case BeaconFrameType.CodePlaces:
                if (body.IsEmpty || body[0] > CodePlacesMax || body.Length != 1 + (body[0] * PlaceBytes))
                {
                    return null;
                }

                var places = new UInt128[body[0]];
                for (int i = 0; i < places.Length; i++)
                {
                    places[i] = BinaryPrimitives.ReadUInt128BigEndian(body[(1 + (i * PlaceBytes))..]);
                }

                return new BeaconFrame(type, Meetings: places);
            case BeaconFrameType.CodePlace or BeaconFrameType.CodeNobody:
                return body.Length == PlaceBytes + 1 ? new BeaconFrame(type, Count: body[PlaceBytes], Meetings: [BinaryPrimitives.ReadUInt128BigEndian(body)]) : null;
            case BeaconFrameType.CodeAsk or BeaconFrameType.CodeAnswered:
                return HasMessage(body, PlaceBytes) ? new BeaconFrame(type, Meetings: [BinaryPrimitives.ReadUInt128BigEndian(body)], Message: body[PlaceBytes..].ToArray()) : null;
            default:
                return HasMessage(body, sizeof(uint)) ? new BeaconFrame(type, Count: BinaryPrimitives.ReadUInt32BigEndian(body), Message: body[sizeof(uint)..].ToArray()) : null;
        }
    }

    private static bool HasMessage(ReadOnlySpan<byte> body, int at) => body.Length - at is >= CodeMessageBytesMin and <= CodeMessageBytesMax;

    private static byte[] PlaceOf(UInt128 place)
    {
        byte[] bytes = new byte[PlaceBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, place);
        return bytes;
    }

    private static byte[] Caller(uint caller)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, caller);
        return bytes;
    }
}
