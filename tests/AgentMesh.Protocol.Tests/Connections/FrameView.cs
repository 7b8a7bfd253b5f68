using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>One frame of a packet, taken apart for a test to look at.</summary>
internal sealed record FrameView(FrameType Type)
{
    public StreamId Id { get; init; }

    public StreamClass Class { get; init; }

    public ulong Offset { get; init; }

    public byte[] Data { get; init; } = [];

    public bool Fin { get; init; }

    public ulong Code { get; init; }

    /// <summary>Final size or limit.</summary>
    public ulong Value { get; init; }

    public string Reason { get; init; } = "";

    public List<PacketRange> Ranges { get; init; } = [];

    public TimeSpan Delay { get; init; }

    public EcnCountsFrame Counts { get; init; }

    /// <summary>All frames of a payload; fails for bytes that are none.</summary>
    public static List<FrameView> Parse(ReadOnlySpan<byte> payload)
    {
        var frames = new List<FrameView>();
        while (!payload.IsEmpty)
        {
            byte type = payload[0];
            payload = payload[1..];
            if (type != (byte)FrameType.Padding)
            {
                frames.Add(ParseOne(type, ref payload));
            }
        }

        return frames;
    }

    private static FrameView ParseOne(byte type, ref ReadOnlySpan<byte> rest)
    {
        if (StreamFrame.IsType(type))
        {
            Assert.True(StreamFrame.TryRead(type, ref rest, out StreamFrame stream, out ReadOnlySpan<byte> data));
            return new FrameView(FrameType.Stream) { Id = stream.Id, Offset = stream.Offset, Data = data.ToArray(), Fin = stream.Fin };
        }

        var view = new FrameView((FrameType)type);
        switch (view.Type)
        {
            case FrameType.Ping:
                return view;
            case FrameType.Ack:
                Assert.True(AckFrame.TryRead(ref rest, out AckFrame ack));
                foreach (PacketRange range in ack)
                {
                    view.Ranges.Add(range);
                }

                return view with { Value = ack.Largest, Delay = ack.Delay };
            case FrameType.ObservedAddress:
                Assert.True(ObservedAddressFrame.TryRead(ref rest, out ObservedAddressFrame observed));
                return view with { Value = observed.Sequence, Data = [.. observed.Address.Address.GetAddressBytes(), (byte)(observed.Address.Port >> 8), (byte)observed.Address.Port] };
            case FrameType.EcnCounts:
                Assert.True(EcnCountsFrame.TryRead(ref rest, out EcnCountsFrame counts));
                return view with { Counts = counts };
            case FrameType.AckFrequency:
                Assert.True(AckFrequencyFrame.TryRead(ref rest, out AckFrequencyFrame asked));
                return view with { Delay = asked.Delay };
            case FrameType.Rekey:
                Assert.True(RekeyFrame.TryRead(ref rest, out ReadOnlySpan<byte> message));
                return view with { Data = message.ToArray() };
            case FrameType.ResetStream:
                Assert.True(ResetStreamFrame.TryRead(ref rest, out ResetStreamFrame reset));
                return view with { Id = reset.Id, Code = reset.Code, Value = reset.FinalSize };
            case FrameType.StopSending:
                Assert.True(StopSendingFrame.TryRead(ref rest, out StopSendingFrame stop));
                return view with { Id = stop.Id, Code = stop.Code };
            case FrameType.MaxData:
                Assert.True(MaxDataFrame.TryRead(ref rest, out MaxDataFrame maxData));
                return view with { Class = maxData.Class, Value = maxData.Limit };
            case FrameType.MaxStreamData:
                Assert.True(MaxStreamDataFrame.TryRead(ref rest, out MaxStreamDataFrame maxStreamData));
                return view with { Id = maxStreamData.Id, Value = maxStreamData.Limit };
            case FrameType.MaxStreams:
                Assert.True(MaxStreamsFrame.TryRead(ref rest, out MaxStreamsFrame maxStreams));
                return view with { Class = maxStreams.Class, Value = maxStreams.Limit };
            case FrameType.PathChallenge or FrameType.PathResponse:
                Assert.True(PathFrame.TryRead(ref rest, out ReadOnlySpan<byte> path));
                return view with { Data = path.ToArray() };
            case FrameType.Close:
                Assert.True(CloseFrame.TryRead(ref rest, out CloseFrame close));
                return view with { Code = close.Code, Reason = close.Reason };
            default:
                Assert.Fail($"frame type {type:x2}");
                return view;
        }
    }
}
