using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Frames as bytes, for what a peer sends by hand.</summary>
internal static class FrameBytes
{
    public static byte[] Ping => [(byte)FrameType.Ping];

    public static byte[] Stream(StreamId id, ulong offset, ReadOnlySpan<byte> data, bool fin = false)
    {
        byte[] bytes = new byte[32 + data.Length];
        int header = new StreamFrame(id, offset, data.Length, fin).Write(bytes);
        data.CopyTo(bytes.AsSpan(header));
        return bytes[..(header + data.Length)];
    }

    public static byte[] Ack(TimeSpan delay, params (ulong First, ulong Last)[] newestFirst)
    {
        byte[] bytes = new byte[1200];
        return bytes[..AckFrame.Write(bytes, [.. newestFirst.Select(r => new PacketRange(r.First, r.Last))], delay)];
    }

    public static byte[] Reset(StreamId id, ulong code, ulong finalSize) => Of(64, b => new ResetStreamFrame(id, code, finalSize).Write(b));

    public static byte[] Stop(StreamId id, ulong code) => Of(64, b => new StopSendingFrame(id, code).Write(b));

    public static byte[] MaxData(StreamClass streamClass, ulong limit) => Of(64, b => new MaxDataFrame(streamClass, limit).Write(b));

    public static byte[] MaxStreamData(StreamId id, ulong limit) => Of(64, b => new MaxStreamDataFrame(id, limit).Write(b));

    public static byte[] MaxStreams(StreamClass streamClass, ulong limit) => Of(64, b => new MaxStreamsFrame(streamClass, limit).Write(b));

    public static byte[] Close(ulong code, string reason) => Of(CloseFrame.SizeMax, b => new CloseFrame(code, reason).Write(b));

    public static byte[] Observed(ulong sequence, System.Net.IPEndPoint address) => Of(64, b => new ObservedAddressFrame(sequence, address).Write(b));

    public static byte[] EcnCounts(ulong ect0, ulong ect1, ulong ce) => Of(64, b => new EcnCountsFrame(ect0, ect1, ce).Write(b));

    public static byte[] AckFrequency(TimeSpan delay) => Of(64, b => new AckFrequencyFrame(delay).Write(b));

    public static byte[] Rekey(ReadOnlySpan<byte> message) => [(byte)FrameType.Rekey, .. message];

    public static byte[] Path(FrameType type, ReadOnlySpan<byte> data) => [(byte)type, .. data];

    private static byte[] Of(int sizeMax, Func<byte[], int> write)
    {
        byte[] bytes = new byte[sizeMax];
        return bytes[..write(bytes)];
    }
}
