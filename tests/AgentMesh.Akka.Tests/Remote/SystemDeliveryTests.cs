using Akka.Remote;

namespace AgentMesh.EngineTests.Remote;

/// <summary>The two buffers of system messages, over a network that loses, repeats and reorders.</summary>
public sealed class SystemDeliveryTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Everything_arrives_once_and_in_order()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var sending = new SystemSendBuffer<int>(64);
            var receiving = new SystemReceiveBuffer<int>(8);
            List<(long Sequence, int Item)> onTheWay = [];
            List<int> arrived = [];
            int sent = 0;
            for (int step = 0; step < 20_000 && arrived.Count < 300; step++)
            {
                if (sent < 300 && !sending.IsFull && random.Next(3) == 0)
                    onTheWay.Add((sending.Add(sent, Start), sent++));
                if (random.Next(20) == 0)
                    onTheWay.AddRange(sending.Unacknowledged.Take(10));
                if (onTheWay.Count == 0)
                    continue;
                int at = random.Next(onTheWay.Count);
                (long sequence, int item) = onTheWay[at];
                if (random.Next(4) != 0)
                    onTheWay.RemoveAt(at);
                if (random.Next(4) == 0)
                    continue;
                receiving.Receive(sequence, item, arrived);
                if (random.Next(2) == 0)
                    sending.Acknowledge(receiving.Ack);
            }

            Assert.Equal(Enumerable.Range(0, 300), arrived);
            sending.Acknowledge(receiving.Ack);
            Assert.Equal((0, (DateTimeOffset?)null), (sending.Count, sending.OldestSince));
        }
    }

    [Fact]
    public void Early_ones_are_bounded()
    {
        var receiving = new SystemReceiveBuffer<int>(2);
        List<int> arrived = [];
        foreach (int sequence in (int[])[5, 3, 2, 1])
            receiving.Receive(sequence, sequence, arrived);

        // 2 came when the buffer was full of 5 and 3.
        Assert.Equal([1], arrived);
        Assert.Equal([3L, 5L], receiving.Ack.Beyond);
        receiving.Receive(2, 2, arrived);
        Assert.Equal([1, 2, 3], arrived);
        Assert.Equal((3L, 1), (receiving.Ack.Through, receiving.Ack.Beyond.Count));
    }

    [Fact]
    public void What_comes_again_takes_no_room_among_the_early_ones()
    {
        var receiving = new SystemReceiveBuffer<int>(1);
        List<int> arrived = [];
        foreach (int sequence in (int[])[1, 1, 1, 3, 2])
            receiving.Receive(sequence, sequence, arrived);

        Assert.Equal([1, 2, 3], arrived);
        Assert.Equal((3L, 0), (receiving.Ack.Through, receiving.Ack.Beyond.Count));
    }

    [Fact]
    public void What_arrived_early_is_forgotten_and_the_gap_before_it_is_reported()
    {
        var sending = new SystemSendBuffer<int>(4);
        for (int item = 1; item <= 3; item++)
            sending.Add(item, Start);

        Assert.Equal([(1L, 1)], sending.Acknowledge(new SystemAckRange(0, [2])));
        Assert.Equal([1L, 3L], sending.Unacknowledged.Select(each => each.Sequence));
    }

    [Fact]
    public void An_acknowledgement_of_what_was_never_sent_is_ignored()
    {
        var sending = new SystemSendBuffer<int>(4);
        sending.Add(1, Start);

        sending.Acknowledge(new SystemAckRange(9, []));
        sending.Acknowledge(new SystemAckRange(-1, [long.MinValue, 7]));

        Assert.Equal(1, sending.Count);
    }

    [Fact]
    public void A_full_buffer_says_so()
    {
        var sending = new SystemSendBuffer<int>(1);
        sending.Add(1, Start);

        Assert.True(sending.IsFull);
        Assert.Throws<InvalidOperationException>(() => sending.Add(2, Start));
        Assert.Equal([1], sending.Reset());
        Assert.Equal(1, sending.Add(2, Start));
    }
}
