using System.Buffers.Binary;
using System.Threading.Channels;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace AgentMesh.Remoting.Tests;

public sealed class MeshAssociationTests
{
    private const int PayloadBytesMax = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly Address A = new("mesh", "agentmesh", "a", 1);
    private static readonly Address B = new("mesh", "agentmesh", "b", 1);

    [Fact]
    public async Task What_was_written_before_the_end_arrives()
    {
        for (int round = 0; round < 50; round++)
        {
            Ends ends = await Ends.OpenAsync();
            (MeshAssociation a, Reader atA) = Made(A, B, ends.ControlA, ends.OrdinaryA);
            (MeshAssociation _, Reader atB) = Made(B, A, ends.ControlB, ends.OrdinaryB);
            for (byte i = 0; i < 20; i++)
            {
                Assert.True(a.Write(ByteString.CopyFrom(i)));
            }

            Assert.True(a.WriteControl(ByteString.CopyFromUtf8("goodbye")));
            a.Disassociate();

            List<ByteString> arrived = await atB.ToEnd();
            Assert.Contains(ByteString.CopyFromUtf8("goodbye"), arrived);
            Assert.Equal(Enumerable.Range(0, 20).Select(i => ByteString.CopyFrom((byte)i)), arrived.Where(payload => payload.Length == 1));
            Assert.Empty(await atA.ToEnd());
        }
    }

    [Fact]
    public async Task A_peer_that_neither_takes_nor_finishes_does_not_hold_it()
    {
        Ends ends = await Ends.OpenAsync();
        (MeshAssociation a, Reader atA) = Made(A, B, ends.ControlA, ends.OrdinaryA);
        while (a.Write(ByteString.CopyFrom(new byte[PayloadBytesMax])))
        {
            // Until stream and queue are full.
        }

        a.Disassociate();

        await atA.ToEnd();
        await a.Ended.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(PayloadBytesMax + 1)]
    [InlineData(int.MaxValue)]
    public async Task A_frame_of_an_impossible_length_ends_it(int length)
    {
        Ends ends = await Ends.OpenAsync();
        (MeshAssociation a, Reader atA) = Made(A, B, ends.ControlA, ends.OrdinaryA);
        byte[] header = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(header, length);

        await ends.OrdinaryB.WriteAsync(header, CancellationToken.None);

        Assert.Empty(await atA.ToEnd());
        await a.Ended.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_stream_that_ends_inside_of_a_frame_ends_it()
    {
        Ends ends = await Ends.OpenAsync();
        (MeshAssociation a, Reader atA) = Made(A, B, ends.ControlA, ends.OrdinaryA);

        await ends.ControlB.WriteAsync(new byte[] { 8, 0, 0, 0, 1, 2 }, CancellationToken.None);
        await ends.ControlB.CompleteWritesAsync();

        Assert.Empty(await atA.ToEnd());
        await a.Ended.WaitAsync(Patience);
    }

    [Fact]
    public async Task The_control_lane_takes_payloads_while_the_ordinary_one_is_full()
    {
        Ends ends = await Ends.OpenAsync();
        (MeshAssociation a, Reader _) = Made(A, B, ends.ControlA, ends.OrdinaryA);
        await FillAsync(a.Write);
        var writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        a.NotifyWhenWritable(() => writable.TrySetResult());

        Assert.True(a.WriteControl(ByteString.CopyFromUtf8("heartbeat")));
        Assert.False(writable.Task.IsCompleted);
        (MeshAssociation b, Reader atB) = Made(B, A, ends.ControlB, ends.OrdinaryB);
        Assert.Contains(ByteString.CopyFromUtf8("heartbeat"), await atB.Until(payload => payload.Length < 100));
        await writable.Task.WaitAsync(Patience);
        b.Disassociate();
    }

    [Fact]
    public async Task Room_in_one_lane_is_no_reason_to_write_when_the_control_lane_is_full()
    {
        Ends ends = await Ends.OpenAsync();
        (MeshAssociation a, Reader _) = Made(A, B, ends.ControlA, ends.OrdinaryA);
        await FillAsync(a.WriteControl);
        bool writable = false;
        a.NotifyWhenWritable(() => writable = true);

        Assert.False(writable);
        a.Disassociate();
    }

    /// <summary>Writes until the stream, which nobody reads, and the queue in front of it are full.</summary>
    private static async Task FillAsync(Func<ByteString, bool> write)
    {
        for (int refused = 0; refused < 5; refused++)
        {
            while (write(ByteString.CopyFrom(new byte[PayloadBytesMax])))
            {
                refused = 0;
            }

            // The writer may be about to take another one out of the queue.
            await Task.Delay(10);
        }
    }

    private static (MeshAssociation Association, Reader Reader) Made(Address local, Address remote, IMeshStream control, IMeshStream ordinary)
    {
        var association = new MeshAssociation(local, remote, control, ordinary, PayloadBytesMax, TimeProvider.System);
        var reader = new Reader();
        association.ReadHandlerSource.SetResult(reader);
        return (association, reader);
    }

    /// <summary>Two streams, seen from both sides.</summary>
    private sealed record Ends(IMeshStream ControlA, IMeshStream OrdinaryA, IMeshStream ControlB, IMeshStream OrdinaryB)
    {
        public static async Task<Ends> OpenAsync()
        {
            (MemoryConnection a, MemoryConnection b) = MemoryConnection.Pair(MemoryMesh.KeyOf("a"), MemoryMesh.KeyOf("b"));
            IMeshStream control = await a.OpenStreamAsync(StreamPriority.Control, CancellationToken.None);
            IMeshStream ordinary = await a.OpenStreamAsync(StreamPriority.Ordinary, CancellationToken.None);
            return new Ends(control, ordinary, (await b.AcceptStreamAsync(CancellationToken.None))!, (await b.AcceptStreamAsync(CancellationToken.None))!);
        }
    }

    private sealed class Reader : IHandleEventListener
    {
        private readonly Channel<ByteString> _payloads = Channel.CreateUnbounded<ByteString>();

        public void Notify(IHandleEvent ev)
        {
            if (ev is InboundPayload payload)
            {
                _payloads.Writer.TryWrite(payload.Payload);
            }
            else if (ev is Disassociated)
            {
                _payloads.Writer.TryComplete();
            }
        }

        /// <summary>All that arrives until the association ends.</summary>
        public async Task<List<ByteString>> ToEnd()
        {
            using var limit = new CancellationTokenSource(Patience);
            List<ByteString> all = [];
            await foreach (ByteString payload in _payloads.Reader.ReadAllAsync(limit.Token))
            {
                all.Add(payload);
            }

            return all;
        }

        public async Task<List<ByteString>> Until(Func<ByteString, bool> last)
        {
            using var limit = new CancellationTokenSource(Patience);
            List<ByteString> all = [];
            do
            {
                all.Add(await _payloads.Reader.ReadAsync(limit.Token));
            }
            while (!last(all[^1]));
            return all;
        }
    }
}
