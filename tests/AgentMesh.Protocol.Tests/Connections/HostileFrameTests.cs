using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What an authentic but broken or hostile device may send, frame by frame.</summary>
public class HostileFrameTests
{
    private static readonly byte[] HugeVarInt = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    public static TheoryData<string, byte[], ulong> Violations => new()
    {
        { "first type that is not given out", [0x06], CloseCodes.FrameEncoding },
        { "type between", [0x0b], CloseCodes.FrameEncoding },
        { "type after STREAM", [0x24], CloseCodes.FrameEncoding },
        { "address of no family", [0x30, 0, 5, 1, 2, 3, 4, 5, 6], CloseCodes.FrameEncoding },
        { "short address", [0x30, 0, 4, 1, 2, 3, 4, 5], CloseCodes.FrameEncoding },
        { "address without a family", [0x30, 0], CloseCodes.FrameEncoding },
        { "last type", [0xff], CloseCodes.FrameEncoding },
        { "good frames before a bad one", [0x00, 0x01, 0x00, 0x7f], CloseCodes.FrameEncoding },
        { "stream class 3", FrameBytes.Stream(new StreamId(6), 0, [1]), CloseCodes.FrameEncoding },
        { "stream at the end of numbers", [0x22, 0x02, .. HugeVarInt, 0x01, 0x55], CloseCodes.FrameEncoding },
        { "length beyond the packet", [0x22, 0x02, 0x00, 0x05, 0x01], CloseCodes.FrameEncoding },
        { "huge length", [0x22, 0x02, 0x00, .. HugeVarInt, 0x01], CloseCodes.FrameEncoding },
        { "far offset", [0x22, 0x02, 0xd0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x55], CloseCodes.FlowControl },
        { "stream that this side never opened", FrameBytes.Stream(Puppet.Theirs(1), 0, [1]), CloseCodes.StreamLimit },
        { "reset of a stream that this side never opened", FrameBytes.Reset(Puppet.Theirs(9), 0, 0), CloseCodes.StreamLimit },
        { "stop of a stream that this side never opened", FrameBytes.Stop(Puppet.Theirs(1, StreamClass.Bulk), 0), CloseCodes.StreamLimit },
        { "stream far beyond the limit", [0x20, .. HugeVarInt[..7], 0xf8, 0x00], CloseCodes.StreamLimit },
        { "reset to a huge size", [0x04, 0x02, 0x00, .. HugeVarInt], CloseCodes.FlowControl },
        { "limit of class 3", [0x08, 0x03, 0x05], CloseCodes.FrameEncoding },
        { "stream limit of class 255", [0x0a, 0xff, 0x05], CloseCodes.FrameEncoding },
        { "acknowledgement of what was not sent", FrameBytes.Ack(TimeSpan.Zero, (0, 100)), CloseCodes.BadAck },
        { "acknowledgement of a huge number", [0x02, .. HugeVarInt, 0x00, 0x00, 0x00], CloseCodes.BadAck },
        { "first range below zero", [0x02, 0x00, 0x00, 0x00, 0x01], CloseCodes.FrameEncoding },
        { "later range below zero", [0x02, 0x05, 0x00, 0x01, 0x01, 0x01, 0x02], CloseCodes.FrameEncoding },
        { "huge gap", [0x02, 0x05, 0x00, 0x01, 0x01, .. HugeVarInt, 0x00], CloseCodes.FrameEncoding },
        { "more ranges than there may be", [0x02, 0x7f, 0xff, 0x00, 0x40, 0x40, 0x00, .. new byte[128]], CloseCodes.FrameEncoding },
        { "rekey message of no kind", FrameBytes.Rekey([0x03, 0, 0, 0, 1, .. new byte[32]]), CloseCodes.BadRekey },
        { "rekey answer to nothing", FrameBytes.Rekey([0x02, 0, 0, 0, 1, .. Enumerable.Repeat((byte)9, 32)]), CloseCodes.BadRekey },
        { "rekey with a key of low order", FrameBytes.Rekey([0x01, 0, 0, 0, 1, .. new byte[32]]), CloseCodes.BadRekey },
        { "rekey for a later epoch", FrameBytes.Rekey([0x01, 0, 0, 0, 7, .. Enumerable.Repeat((byte)9, 32)]), CloseCodes.BadRekey },
        { "reason longer than allowed", [0x10, 0x00, 0x41, 0x00, .. new byte[256]], CloseCodes.FrameEncoding },
        { "reason beyond the packet", [0x10, 0x00, 0x05, 0x41], CloseCodes.FrameEncoding },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public void A_violation_closes_with_its_code(string what, byte[] payload, ulong code)
    {
        using Puppet puppet = Talking();
        puppet.Send(payload);
        Assert.True(!puppet.Target.IsOpen, what);
        puppet.AssertClosed(code);
    }

    public static TheoryData<string, byte[]> Harmless => new()
    {
        { "nothing at all", [] },
        { "padding", new byte[1000] },
        { "numbers longer than they need be", [0x22, 0x40, 0x02, 0x80, 0, 0, 0, 0x40, 0x01, 0x55] },
        { "data to the end of the packet", [0x20, 0x02, 0x00, 0x55, 0x56] },
        { "counts of marks that nobody asked for, without an acknowledgement", [0x31, .. HugeVarInt, .. HugeVarInt, .. HugeVarInt, .. FrameBytes.EcnCounts(0, 0, 0)] },
        { "the same with an acknowledgement", [0x31, .. HugeVarInt, .. HugeVarInt, .. HugeVarInt, .. FrameBytes.Ack(TimeSpan.Zero, (0, 0))] },
        { "acknowledgements asked for once in an eternity, and none to be thinned", [0x32, .. HugeVarInt, 0x32, 0x00, 0x32, .. HugeVarInt] },
        { "smaller limits than before", [.. FrameBytes.MaxData(StreamClass.Bulk, 0), .. FrameBytes.MaxStreams(StreamClass.Bulk, 0), .. FrameBytes.MaxStreamData(Puppet.Theirs(0), 0)] },
        { "limits without limit", [0x08, 0x00, .. HugeVarInt, 0x0a, 0x00, .. HugeVarInt, 0x09, 0x03, .. HugeVarInt] },
        { "acknowledgement with a huge delay", [0x02, 0x00, .. HugeVarInt, 0x00, 0x00] },
        { "stop and reset with huge codes", [0x05, 0x03, .. HugeVarInt, 0x04, 0x02, .. HugeVarInt, 0x01] },
        { "rekey for an epoch that has passed", FrameBytes.Rekey([0x01, 0, 0, 0, 0, .. new byte[32]]) },
    };

    [Theory]
    [MemberData(nameof(Harmless))]
    public void What_is_allowed_is_taken(string what, byte[] payload)
    {
        using Puppet puppet = Talking();
        puppet.Send(payload);
        puppet.Wait(5);
        Assert.True(puppet.Target.IsOpen, $"{what}: {puppet.Target.End}");
    }

    [Fact]
    public void A_frame_cut_anywhere_is_taken_or_closes_as_unreadable()
    {
        byte[][] frames =
        [
            FrameBytes.Stream(Puppet.Ours(0), 70_000, new byte[100], fin: true),
            FrameBytes.Ack(TimeSpan.FromMilliseconds(3), (0, 0)),
            FrameBytes.Reset(Puppet.Ours(0), 1UL << 40, 70_000),
            FrameBytes.Stop(Puppet.Ours(0), 1UL << 40),
            FrameBytes.MaxData(StreamClass.Control, 1UL << 40),
            FrameBytes.MaxStreamData(Puppet.Ours(0), 1UL << 40),
            FrameBytes.MaxStreams(StreamClass.Control, 1UL << 40),
            FrameBytes.Rekey(new byte[RekeyMessage.Size]),
            FrameBytes.EcnCounts(1UL << 40, 1UL << 20, 1UL << 50),
            FrameBytes.AckFrequency(TimeSpan.FromMilliseconds(400)),
            FrameBytes.Close(1UL << 40, "reason"),
        ];
        foreach (byte[] frame in frames)
        {
            for (int length = 1; length < frame.Length; length++)
            {
                using Puppet puppet = Talking();
                puppet.Send(frame[..length]);
                puppet.AssertClosed(CloseCodes.FrameEncoding);
            }
        }
    }

    [Fact]
    public void Frames_of_the_same_packet_after_a_violation_do_nothing()
    {
        using Puppet puppet = Talking();
        puppet.Send([0x7f], FrameBytes.Stream(Puppet.Ours(1), 0, [1]), FrameBytes.Close(0, "x"));
        puppet.AssertClosed(CloseCodes.FrameEncoding);
        Assert.DoesNotContain(Puppet.Ours(1).Value, puppet.Opened.Keys);
    }

    [Fact]
    public void Memory_for_one_peer_is_bounded_by_the_windows()
    {
        var settings = new ConnectionSettings { StreamWindow = 64 * 1024, StreamWindowMax = 64 * 1024, ClassWindow = 256 * 1024, ClassWindowMax = 256 * 1024 };
        using var puppet = new Puppet(settings);
        long before = GC.GetAllocatedBytesForCurrentThread();

        // The last byte of every window, then as many streams as there may be, and limits that make no difference.
        for (int c = 0; c < StreamId.Classes; c++)
        {
            for (ulong i = 0; i < 4; i++)
            {
                puppet.Give(FrameBytes.Stream(Puppet.Ours(i, (StreamClass)c), (64 * 1024) - 1, [1]));
            }

            puppet.Give(FrameBytes.Stream(Puppet.Ours(1023, (StreamClass)c), 0, []));
        }

        for (int i = 0; i < 2000; i++)
        {
            puppet.Give(FrameBytes.MaxStreams(StreamClass.Bulk, (ulong)i + 2000), FrameBytes.MaxData(StreamClass.Bulk, 1UL << 60));
            puppet.Target.TryReadEvent(out _);
        }

        Assert.True(puppet.Target.IsOpen);
        Assert.Equal(3 * 1024, puppet.Target.Streams.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20); // three classes of 256 KiB, 3,072 streams, the test's own packets
    }

    /// <summary>A connection with a stream open in each direction and packet 0 sent.</summary>
    private static Puppet Talking()
    {
        var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1]);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [0x55]));
        puppet.Packets.Clear();
        return puppet;
    }
}
