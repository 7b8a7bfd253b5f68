using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Transport.Tests;

public sealed class DatagramQueueTests
{
    private readonly SetTime _time = new();

    [Fact]
    public async Task A_full_queue_loses_the_oldest_and_is_never_longer_than_it_may_be()
    {
        var queue = new DatagramQueue(10_000, TimeSpan.FromSeconds(1), _time);
        for (byte i = 0; i < 100; i++)
        {
            queue.Enqueue([i, .. new byte[999]]);
            Assert.InRange(queue.Bytes, 0, 10_000);
        }

        Assert.Equal(90, queue.Dropped);
        (byte[] buffer, int length) = (await queue.DequeueAsync(CancellationToken.None))!.Value;
        Assert.Equal((90, 1_000), (buffer[0], length));
    }

    [Fact]
    public async Task What_has_waited_too_long_is_lost_but_for_the_last_of_it()
    {
        var queue = new DatagramQueue(100_000, TimeSpan.FromMilliseconds(250), _time);
        for (int i = 0; i < 50; i++)
        {
            queue.Enqueue(new byte[1_000]);
        }

        _time.Now += TimeSpan.FromSeconds(1);
        await queue.DequeueAsync(CancellationToken.None);
        Assert.InRange(queue.Bytes, DatagramQueue.KeptBytes - 2_000, DatagramQueue.KeptBytes);
        Assert.True(queue.Dropped > 30);
    }

    [Fact]
    public async Task What_is_urgent_goes_first_and_is_not_lost_by_what_comes_after_it()
    {
        var queue = new DatagramQueue(10_000, TimeSpan.FromSeconds(1), _time);
        queue.Enqueue([1]);
        queue.EnqueueUrgent([2]);
        for (int i = 0; i < 100; i++)
        {
            queue.Enqueue(new byte[1_000]);
            queue.EnqueueUrgent([3]);
        }

        _time.Now += TimeSpan.FromMinutes(1);
        (byte[] buffer, int length) = (await queue.DequeueAsync(CancellationToken.None))!.Value;
        Assert.Equal((2, 1), (buffer[0], length));
        for (int i = 1; i < 32; i++)
        {
            Assert.Equal(3, queue.TryDequeue()!.Value.Buffer[0]);
        }

        Assert.Equal(1_000, queue.TryDequeue()!.Value.Length);
    }

    [Fact]
    public async Task A_finished_queue_gives_what_waits_and_takes_no_more()
    {
        var queue = new DatagramQueue(10_000, TimeSpan.FromSeconds(1), _time);
        queue.Enqueue([1]);
        queue.Finish();
        queue.Enqueue([2]);
        queue.EnqueueUrgent([3]);

        Assert.Equal(1, (await queue.DequeueAsync(CancellationToken.None))!.Value.Buffer[0]);
        Assert.Null(queue.TryDequeue());
        Assert.Null(await queue.DequeueAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_closed_queue_is_empty_and_ends_who_waits()
    {
        var queue = new DatagramQueue(10_000, TimeSpan.FromSeconds(1), _time);
        ValueTask<(byte[], int)?> waiting = queue.DequeueAsync(CancellationToken.None);
        queue.Close();
        Assert.Null(await waiting);
        queue.Enqueue(new byte[10]);
        Assert.Equal((0, 1L), (queue.Bytes, queue.Dropped));
    }

    private sealed class SetTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
