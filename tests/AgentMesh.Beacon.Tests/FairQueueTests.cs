using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;

namespace AgentMesh.Beacon.Tests;

public sealed class FairQueueTests
{
    [Fact]
    public void Who_sends_a_hundred_times_as_much_gets_no_more_than_the_others()
    {
        var queue = new FairQueue<string>(bytesMaxOfEach: 200_000, bytesMax: 1_000_000);
        for (int i = 0; i < 100; i++)
        {
            Assert.True(queue.TryEnqueue("greedy", new byte[1_400]));
        }

        Assert.True(queue.TryEnqueue("modest", new byte[1_400]));
        Assert.True(queue.TryEnqueue("short", new byte[100]));
        var served = new List<string>();
        while (served.Count < 6 && queue.TryDequeue(_ => true, out string? from, out _))
        {
            served.Add(from!);
        }

        Assert.InRange(served.Count(from => from == "greedy"), 1, 4);
        Assert.Contains("modest", served);
        Assert.Contains("short", served);
    }

    [Fact]
    public void Equal_shares_are_counted_in_bytes_and_not_in_datagrams()
    {
        var queue = new FairQueue<string>(1_000_000, 10_000_000);
        for (int i = 0; i < 1_000; i++)
        {
            queue.TryEnqueue("long", new byte[1_000]);
            queue.TryEnqueue("short", new byte[100]);
        }

        Dictionary<string, int> bytes = new() { ["long"] = 0, ["short"] = 0 };
        while (bytes.Values.Sum() < 100_000 && queue.TryDequeue(_ => true, out string? from, out byte[] datagram))
        {
            bytes[from!] += datagram.Length;
        }

        Assert.InRange(bytes["long"] / (double)bytes["short"], 0.9, 1.1);
    }

    [Fact]
    public void It_is_bounded_for_each_and_in_all_and_empty_when_its_devices_are_gone()
    {
        var queue = new FairQueue<string>(3_000, 5_000);
        Assert.True(queue.TryEnqueue("a", new byte[1_500]) && queue.TryEnqueue("a", new byte[1_500]));
        Assert.False(queue.TryEnqueue("a", new byte[1]));
        Assert.True(queue.TryEnqueue("b", new byte[1_500]));
        Assert.False(queue.TryEnqueue("c", new byte[1_500]));
        queue.Remove("a");
        queue.Remove("b");
        Assert.Equal((0, 0, true), (queue.Bytes, queue.Count, queue.IsEmpty));
        Assert.False(queue.TryDequeue(_ => true, out _, out _));
    }

    [Fact]
    public void A_beacon_with_less_room_than_its_devices_use_shares_it_and_says_what_was_lost()
    {
        var world = new BeaconWorld(new BeaconLimits { TotalBytesPerSecond = 100_000, BytesPerSecond = 10_000_000, BurstBytes = 10_000_000 });
        (Guest one, Guest two) = world.Meet(1, 2);
        (Guest three, _) = world.Meet(3, 4);
        ulong greedy = one.Channels[two.Device].Id, modest = three.Channels.Values.Single().Id;
        Dictionary<IPEndPoint, int> got = [];
        int at = 0;
        for (int tenth = 0; tenth < 100; tenth++)
        {
            for (int i = 0; i < 100; i++)
            {
                Take(world.Relay(BeaconWorld.Envelope(greedy, 1_000), BeaconWorld.Place(1), out IPEndPoint to), to);
            }

            for (int i = 0; i < 5; i++)
            {
                Take(world.Relay(BeaconWorld.Envelope(modest, 1_000), BeaconWorld.Place(3), out IPEndPoint to), to);
            }

            world.Now += TimeSpan.FromMilliseconds(100);
            while (world.Core.TryNext(world.Now, out byte[] waiting, out IPEndPoint late))
            {
                Take(waiting.Length, late);
            }

            at++;
        }

        // Ten seconds: a megabyte in all; each could have used all of it.
        Assert.InRange(got.Values.Sum(), 900_000, 1_150_000);
        Assert.InRange(got[BeaconWorld.Place(4)], 400_000, 520_000);
        Assert.True(world.Core.Counters.Crowded > 0);
        world.Core.HandleTimeout(world.Now + TimeSpan.FromSeconds(2));
        Assert.Contains(BeaconFrameType.Limited, BeaconWorld.Types(one));

        void Take(int bytes, IPEndPoint to)
        {
            if (bytes > 0)
            {
                got[to] = got.GetValueOrDefault(to) + bytes;
            }
        }
    }
}
