using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Tests;

/// <summary>The golden bytes of <c>docs/protocol/beacon-v1-vectors.json</c>, and what becomes of damaged ones.</summary>
public sealed class BeaconFrameTests
{
    private static readonly JsonArray Vectors = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "beacon-v1-vectors.json")))!["frames"]!.AsArray();

    public static TheoryData<int> All => [.. Enumerable.Range(0, Vectors.Count)];

    [Fact]
    public void Every_type_has_a_vector() =>
        Assert.Equal(Enum.GetValues<BeaconFrameType>().Order(), Vectors.Select(vector => FrameOf(vector!).Type).Distinct().Order());

    [Theory]
    [MemberData(nameof(All))]
    public void Frame_has_the_bytes_of_the_vector(int index) => Assert.Equal((string)Vectors[index]!["bytes"]!, Convert.ToHexStringLower(FrameOf(Vectors[index]!).ToBytes()));

    [Theory]
    [MemberData(nameof(All))]
    public void Frame_is_read_back(int index)
    {
        byte[] bytes = BytesOf(index);
        BeaconFrame? read = BeaconFrame.TryRead(bytes.AsSpan(BeaconFrame.LengthBytes));
        Assert.NotNull(read);
        Assert.Equal(bytes, read.ToBytes());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Truncated_and_longer_frames_are_refused(int index)
    {
        byte[] body = BytesOf(index)[BeaconFrame.LengthBytes..];
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Null(BeaconFrame.TryRead(body.AsSpan(0, length)));
        }

        // A message of a code says itself how long it is.
        byte[] longer = [.. body, .. new byte[FrameOf(Vectors[index]!).Message is null ? 1 : BeaconFrame.CodeMessageBytesMax]];
        Assert.Null(BeaconFrame.TryRead(longer));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Flipped_bits_never_throw(int index)
    {
        byte[] body = BytesOf(index)[BeaconFrame.LengthBytes..];
        for (int bit = 0; bit < body.Length * 8; bit++)
        {
            body[bit / 8] ^= (byte)(1 << (bit % 8));
            _ = BeaconFrame.TryRead(body)?.Type;
            body[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Noise_never_throws()
    {
        var random = new Random(7);
        byte[] noise = new byte[200];
        for (int i = 0; i < 200_000; i++)
        {
            int length = random.Next(noise.Length);
            random.NextBytes(noise.AsSpan(0, length));
            noise[0] = (byte)random.Next(0x48);
            _ = BeaconFrame.TryRead(noise.AsSpan(0, length));
        }
    }

    [Fact]
    public void A_type_of_later_versions_is_read_as_nothing_but_its_type() => Assert.Equal(new BeaconFrame((BeaconFrameType)0x70), BeaconFrame.TryRead([0x70, 1, 2, 3]));

    [Fact]
    public void A_hello_names_1024_devices_at_most()
    {
        byte[] ids = [.. Enumerable.Repeat((byte)'a', 1025 * DeviceId.TextLength)];
        Assert.NotNull(BeaconFrame.TryRead([1, 1, 4, 0, .. ids.AsSpan(0, 1024 * DeviceId.TextLength), 0]));
        Assert.Null(BeaconFrame.TryRead([1, 1, 4, 1, .. ids, 0]));
    }

    [Fact]
    public void A_hello_names_32_meetings_at_most()
    {
        Assert.NotNull(BeaconFrame.TryRead([1, 1, 0, 0, 32, .. new byte[32 * 16]]));
        Assert.Null(BeaconFrame.TryRead([1, 1, 0, 0, 33, .. new byte[33 * 16]]));
        Assert.Equal(BeaconFrame.BodyBytesMax, new BeaconFrame(BeaconFrameType.Hello, Devices: [.. Enumerable.Repeat(BeaconWorld.Device(1), 1024)], Meetings: [.. Enumerable.Repeat(UInt128.One, 32)]).ToBytes().Length - BeaconFrame.LengthBytes);
    }

    private static byte[] BytesOf(int index) => Convert.FromHexString((string)Vectors[index]!["bytes"]!);

    private static BeaconFrame FrameOf(JsonNode vector)
    {
        JsonNode given = vector["given"]!;
        return new BeaconFrame(
            Enum.Parse<BeaconFrameType>((string)given["type"]!),
            (ulong?)given["value"] ?? 0,
            given["address"] is { } address ? IPEndPoint.Parse((string)address!) : null,
            given["devices"] is JsonArray devices ? [.. devices.Select(device => DeviceId.Parse((string)device!))] : null,
            (uint?)given["count"] ?? 0,
            given["meetings"] is JsonArray meetings ? [.. meetings.Select(meeting => UInt128.Parse((string)meeting!, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture))] : null,
            given["message"] is { } message ? Convert.FromHexString((string)message!) : null);
    }
}
