using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>The frames of <c>docs/protocol/wire-v1-vectors.json</c>, which are the examples of <c>wire-v1.md</c> too.</summary>
public class FrameVectorTests
{
    private static readonly JsonObject File = JsonNode.Parse(Text("wire-v1-vectors.json"))!.AsObject();

    public static TheoryData<string> Names => [.. File["frames"]!.AsArray().Select(v => (string)v!["name"]!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Frame_reads_as_the_vector_says(string name)
    {
        JsonNode vector = Vector(name);
        byte[] bytes = Convert.FromHexString((string)vector["hex"]!);
        List<FrameView> frames = FrameView.Parse(bytes);
        if (name == "PADDING")
        {
            Assert.Empty(frames);
            return;
        }

        FrameView frame = Assert.Single(frames);
        Assert.StartsWith(name.Split(',')[0].Replace("_", "", StringComparison.Ordinal), frame.Type.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(new EcnCountsFrame((ulong?)vector["ect0"] ?? 0, (ulong?)vector["ect1"] ?? 0, (ulong?)vector["ce"] ?? 0), frame.Counts);
        Assert.Equal((ulong?)vector["stream"] ?? 0, frame.Id.Value);
        Assert.Equal((ulong?)vector["code"] ?? 0, frame.Code);
        Assert.Equal((ulong?)vector["offset"] ?? 0, frame.Offset);
        Assert.Equal((bool?)vector["fin"] ?? false, frame.Fin);
        Assert.Equal((string?)vector["data"] ?? "", Convert.ToHexStringLower(frame.Data));
        Assert.Equal((string?)vector["reason"] ?? "", frame.Reason);
        Assert.Equal((byte?)vector["class"] ?? 0, (byte)frame.Class);
        Assert.Equal((long?)vector["delayMicroseconds"] ?? 0, (long)frame.Delay.TotalMicroseconds);
        PacketRange[] ranges = [.. (vector["ranges"]?.AsArray() ?? []).Select(r => new PacketRange((ulong)r![0]!, (ulong)r[1]!))];
        Assert.Equal(ranges, frame.Ranges);
        Assert.Equal((ulong?)vector["value"] ?? (ranges.Length > 0 ? ranges[0].Last : 0), frame.Value);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Frame_is_written_as_the_vector_says(string name)
    {
        JsonNode vector = Vector(name);
        byte[] expected = Convert.FromHexString((string)vector["hex"]!);
        FrameView frame = FrameView.Parse(expected).FirstOrDefault() ?? new FrameView(FrameType.Padding);
        byte[]? written = frame.Type switch
        {
            FrameType.Padding => [0],
            FrameType.Ping => FrameBytes.Ping,
            FrameType.Ack => FrameBytes.Ack(frame.Delay, [.. frame.Ranges.Select(r => (r.First, r.Last))]),
            FrameType.Rekey => FrameBytes.Rekey(frame.Data),
            FrameType.ResetStream => FrameBytes.Reset(frame.Id, frame.Code, frame.Value),
            FrameType.StopSending => FrameBytes.Stop(frame.Id, frame.Code),
            FrameType.MaxData => FrameBytes.MaxData(frame.Class, frame.Value),
            FrameType.MaxStreamData => FrameBytes.MaxStreamData(frame.Id, frame.Value),
            FrameType.MaxStreams => FrameBytes.MaxStreams(frame.Class, frame.Value),
            FrameType.PathChallenge or FrameType.PathResponse => FrameBytes.Path(frame.Type, frame.Data),
            FrameType.ObservedAddress => FrameBytes.Observed(frame.Value, new IPEndPoint(new IPAddress(frame.Data.AsSpan(0, 4)), (frame.Data[4] << 8) + frame.Data[5])),
            FrameType.EcnCounts => FrameBytes.EcnCounts(frame.Counts.Ect0, frame.Counts.Ect1, frame.Counts.Ce),
            FrameType.AckFrequency => FrameBytes.AckFrequency(frame.Delay),
            FrameType.Close => FrameBytes.Close(frame.Code, frame.Reason),
            FrameType.Stream when (expected[0] & 2) != 0 => FrameBytes.Stream(frame.Id, frame.Offset, frame.Data, frame.Fin),
            _ => null, // this implementation always writes a length
        };
        Assert.True(written is null || expected.AsSpan().SequenceEqual(written), Convert.ToHexStringLower(written ?? []));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Specification_shows_the_bytes_of_the_vector(string name)
    {
        string text = Text("wire-v1.md").Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains((string)Vector(name)["hex"]!, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_type_of_frame_has_a_vector_and_a_line_in_the_specification()
    {
        byte[] covered = [.. File["frames"]!.AsArray().Select(v => Convert.FromHexString((string)v!["hex"]!)[0]).Distinct().Order()];
        Assert.Equal([.. Enum.GetValues<FrameType>().Select(t => (byte)t).Concat([(byte)0x21, (byte)0x22, (byte)0x23]).Order()], covered);
    }

    [Fact]
    public void Transport_parameters_have_the_bytes_of_the_vector()
    {
        JsonNode vector = File["transportParameters"]!;
        byte[] expected = Convert.FromHexString((string)vector["hex"]!), written = new byte[TransportParameters.Size];
        var parameters = new TransportParameters((uint)vector["streamWindow"]!, (uint)vector["classWindow"]!, (ushort)vector["streamsPerClass"]!, (ushort)vector["datagramBytesMax"]!, (byte)vector["ackDelayMaxMilliseconds"]!, (byte)vector["takes"]!);
        parameters.Write(written);
        Assert.Equal(expected, written);
        Assert.Equal(parameters, TransportParameters.Read(expected));
        Assert.Equal(parameters, TransportParameters.Of(new ConnectionSettings())); // the example shows the defaults
        Assert.Contains((string)vector["hex"]!, Text("wire-v1.md"), StringComparison.Ordinal);
    }

    private static JsonNode Vector(string name) => File["frames"]!.AsArray().Single(v => (string)v!["name"]! == name)!;

    private static string Text(string file) => System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file));
}
