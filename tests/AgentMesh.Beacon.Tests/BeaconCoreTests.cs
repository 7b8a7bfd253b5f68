using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Beacon.Tests;

public sealed class BeaconCoreTests
{
    private readonly BeaconWorld _world = new();

    [Fact]
    public void A_device_is_told_where_it_is_seen_and_when_that_changes()
    {
        Guest guest = _world.Enter(1);
        _world.Hello(guest);
        BeaconFrame welcome = Assert.Single(BeaconWorld.Said(guest));
        Assert.Equal((BeaconFrameType.Welcome, BeaconWorld.Place(1)), (welcome.Type, welcome.Address));

        _world.Core.Moved(guest, BeaconWorld.Place(1));
        Assert.Empty(BeaconWorld.Said(guest));
        _world.Core.Moved(guest, BeaconWorld.Place(7));
        Assert.Equal(BeaconWorld.Place(7), Assert.Single(BeaconWorld.Said(guest)).Address);
    }

    [Fact]
    public void Two_that_name_each_other_get_a_channel_with_an_id_for_each()
    {
        Guest one = _world.Enter(1), two = _world.Enter(2);
        _world.Hello(one, 2);
        Assert.Equal([BeaconFrameType.Welcome], BeaconWorld.Types(one));
        _world.Hello(two, 1);
        BeaconFrame toOne = Assert.Single(BeaconWorld.Said(one)), toTwo = BeaconWorld.Said(two)[^1];
        Assert.Equal((BeaconFrameType.Channel, BeaconWorld.Device(2)), (toOne.Type, toOne.Devices![0]));
        Assert.Equal((BeaconFrameType.Channel, BeaconWorld.Device(1)), (toTwo.Type, toTwo.Devices![0]));
        Assert.NotEqual(toOne.Value, toTwo.Value);
    }

    [Fact]
    public void A_stranger_learns_nothing_of_a_device_that_does_not_name_it()
    {
        Guest one = _world.Enter(1), stranger = _world.Enter(3);
        _world.Hello(stranger, 1, 2);
        _world.Hello(one, 2);
        _world.Core.Moved(one, BeaconWorld.Place(9));
        _world.Core.Leave(one);
        Assert.Equal([BeaconFrameType.Welcome], BeaconWorld.Types(stranger));
    }

    [Fact]
    public void Two_that_name_the_same_meeting_get_a_channel_until_one_of_them_leaves_it()
    {
        Guest inviter = _world.Enter(1), joiner = _world.Enter(2), other = _world.Enter(3);
        _world.Meet(inviter, 7, 8);
        _world.Meet(other, 9);
        _world.Meet(joiner, 8);
        Assert.Equal([joiner.Device], inviter.Channels.Keys);
        Assert.Empty(other.Channels);
        _world.Meet(inviter, 7);
        Assert.Empty(inviter.Channels);
        Assert.Equal(0, _world.Core.Counters.Channels);
    }

    [Fact]
    public void A_channel_of_a_meeting_stays_when_both_have_come_to_name_each_other()
    {
        Guest inviter = _world.Enter(1), joiner = _world.Enter(2);
        _world.Meet(inviter, 7);
        _world.Meet(joiner, 7);
        ulong channel = inviter.Channels[joiner.Device].Id;
        _world.Core.Handle(inviter, new BeaconFrame(BeaconFrameType.Hello, Devices: [joiner.Device], Meetings: [7]), _world.Now);
        _world.Hello(joiner, 1);
        _world.Hello(inviter, 2);
        Assert.Equal(channel, inviter.Channels[joiner.Device].Id);
    }

    [Fact]
    public void A_meeting_has_room_for_eight()
    {
        Guest[] guests = [.. Enumerable.Range(1, 12).Select(_world.Enter)];
        Array.ForEach(guests, guest => _world.Meet(guest, 7));
        Assert.Equal(8 * 7 / 2, _world.Core.Counters.Channels);
        Assert.Empty(guests[^1].Channels);
        _world.Core.Leave(guests[0]);
        _world.Meet(guests[^1], 7);
        Assert.Equal(7, guests[^1].Channels.Count);
    }

    [Fact]
    public void A_device_that_is_no_longer_named_loses_the_channel()
    {
        (Guest one, Guest two) = _world.Meet();
        ulong channel = one.Channels[two.Device].Id;
        _world.Hello(one);
        Assert.Equal([BeaconFrameType.Gone], BeaconWorld.Types(one));
        Assert.Equal([BeaconFrameType.Gone], BeaconWorld.Types(two));
        Assert.Equal(0, _world.Core.Counters.Channels);
        byte[] envelope = BeaconWorld.Envelope(channel);
        Assert.Equal(RelayEnvelope.NoticeBytes, _world.Relay(envelope, BeaconWorld.Place(1), out _));
    }

    [Fact]
    public void A_device_that_comes_back_gets_new_channels_and_its_old_connection_counts_no_more()
    {
        (Guest one, Guest two) = _world.Meet();
        ulong before = two.Channels[one.Device].Id;
        Guest again = _world.Core.TryEnter(one.Device, BeaconWorld.Place(5), _world.Now)!;
        _world.Hello(again, 2);
        Assert.Equal([BeaconFrameType.Gone, BeaconFrameType.Channel], BeaconWorld.Types(two));
        Assert.NotEqual(before, two.Channels[one.Device].Id);
        _world.Core.Leave(one); // the end of the old connection, noticed late
        Assert.Equal((2, 1), (_world.Core.Counters.Devices, _world.Core.Counters.Channels));
    }

    [Fact]
    public void A_datagram_goes_on_as_long_as_it_came_with_the_other_ends_channel()
    {
        (Guest one, Guest two) = _world.Meet();
        byte[] envelope = BeaconWorld.Envelope(one.Channels[two.Device].Id, 1200);
        Assert.Equal(envelope.Length, _world.Relay(envelope, one.Address, out IPEndPoint to));
        Assert.Equal(two.Address, to);
        Assert.True(RelayEnvelope.TryRead(envelope, out ulong id));
        Assert.Equal(two.Channels[one.Device].Id, id);
    }

    [Fact]
    public void A_channel_takes_datagrams_from_its_own_device_only()
    {
        (Guest one, Guest two) = _world.Meet();
        ulong channel = one.Channels[two.Device].Id;
        foreach (IPEndPoint other in new[] { two.Address, BeaconWorld.Place(3), new IPEndPoint(one.Address.Address, one.Address.Port + 1) })
        {
            byte[] envelope = BeaconWorld.Envelope(channel);
            Assert.Equal(RelayEnvelope.NoticeBytes, _world.Relay(envelope, other, out IPEndPoint to));
            Assert.Equal(other, to);
            Assert.True(RelayEnvelope.TryReadNotice(envelope.AsSpan(0, RelayEnvelope.NoticeBytes), out ulong doubted));
            Assert.Equal(channel, doubted);
        }

        Assert.Equal(3, _world.Core.Counters.WrongAddress);
    }

    [Fact]
    public void A_device_that_moved_sends_and_receives_at_its_new_address()
    {
        (Guest one, Guest two) = _world.Meet();
        _world.Core.Moved(two, BeaconWorld.Place(8));
        Assert.True(_world.Relay(BeaconWorld.Envelope(one.Channels[two.Device].Id), one.Address, out IPEndPoint to) > 0);
        Assert.Equal(BeaconWorld.Place(8), to);
        Assert.True(_world.Relay(BeaconWorld.Envelope(two.Channels[one.Device].Id), BeaconWorld.Place(8), out _) > 0);
        Assert.Equal(RelayEnvelope.NoticeBytes, _world.Relay(BeaconWorld.Envelope(two.Channels[one.Device].Id), BeaconWorld.Place(2), out to));
        Assert.Equal(BeaconWorld.Place(2), to);
    }

    [Fact]
    public void Forged_channels_get_no_answer_and_forgotten_ones_a_notice_no_longer_than_the_question()
    {
        var random = new Random(3);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.Equal(0, _world.Relay(BeaconWorld.Envelope((ulong)random.NextInt64()), BeaconWorld.Place(3), out _));
        }

        byte[] envelope = BeaconWorld.Envelope(_world.Ids.Next(), 1);
        Assert.Equal(RelayEnvelope.NoticeBytes, _world.Relay(envelope, BeaconWorld.Place(3), out IPEndPoint to));
        Assert.Equal(BeaconWorld.Place(3), to);
        Assert.True(RelayEnvelope.TryReadNotice(envelope.AsSpan(0, RelayEnvelope.NoticeBytes), out _));
    }

    [Fact]
    public void Notices_are_limited()
    {
        var world = new BeaconWorld(new BeaconLimits { NoticesPerSecond = 10 });
        int told = Enumerable.Range(0, 1_000).Count(_ => world.Relay(BeaconWorld.Envelope(world.Ids.Next()), BeaconWorld.Place(3), out IPEndPoint _) > 0);
        Assert.Equal(10, told);
    }

    [Fact]
    public void What_is_above_the_allowance_is_dropped_and_told_once_a_second()
    {
        var world = new BeaconWorld(new BeaconLimits { BytesPerSecond = 1_000, BurstBytes = 1_090 });
        (Guest one, Guest two) = world.Meet();
        ulong channel = one.Channels[two.Device].Id;
        int passed = Enumerable.Range(0, 100).Count(_ => world.Relay(BeaconWorld.Envelope(channel), one.Address, out IPEndPoint _) > 0);
        Assert.Equal(10, passed);
        Assert.Equal(new BeaconFrame(BeaconFrameType.Limited, channel, Count: 1), Assert.Single(BeaconWorld.Said(one)));

        world.Now += TimeSpan.FromSeconds(1);
        world.Core.HandleTimeout(world.Now);
        Assert.Equal(new BeaconFrame(BeaconFrameType.Limited, channel, Count: 89), Assert.Single(BeaconWorld.Said(one)));
        world.Now += TimeSpan.FromSeconds(1);
        world.Core.HandleTimeout(world.Now);
        Assert.Empty(BeaconWorld.Said(one));
        Assert.Empty(BeaconWorld.Said(two));
        Assert.True(world.Relay(BeaconWorld.Envelope(channel), one.Address, out _) > 0);
    }

    [Fact]
    public void One_who_floods_takes_nothing_from_the_allowance_of_another()
    {
        var world = new BeaconWorld(new BeaconLimits { BytesPerSecond = 1_000, BurstBytes = 1_090 });
        (Guest one, Guest two) = world.Meet();
        for (int i = 0; i < 1_000; i++)
        {
            world.Relay(BeaconWorld.Envelope(one.Channels[two.Device].Id), one.Address, out _);
            world.Relay(BeaconWorld.Envelope(two.Channels[one.Device].Id), one.Address, out _); // not its own end
        }

        Assert.True(world.Relay(BeaconWorld.Envelope(two.Channels[one.Device].Id), two.Address, out _) > 0);
    }

    [Fact]
    public void A_full_beacon_sends_new_devices_away_and_keeps_those_it_has()
    {
        var world = new BeaconWorld(new BeaconLimits { DevicesMax = 2, ChannelsMax = 1 });
        (Guest one, _) = world.Meet();
        Assert.Null(world.Core.TryEnter(BeaconWorld.Device(3), BeaconWorld.Place(3), world.Now));
        Assert.NotNull(world.Core.TryEnter(one.Device, BeaconWorld.Place(4), world.Now));
        Assert.Equal(1, world.Core.Counters.Refused);
    }

    [Fact]
    public void Channels_are_bounded()
    {
        var world = new BeaconWorld(new BeaconLimits { ChannelsMax = 1 });
        world.Meet(1, 2);
        (Guest three, _) = world.Meet(3, 4);
        Assert.Empty(three.Channels);
        Assert.Equal((1, 1L), (world.Core.Counters.Channels, world.Core.Counters.ChannelsRefused));
    }

    [Fact]
    public void Who_does_not_take_its_frames_is_sent_away_and_holds_no_more_memory()
    {
        var world = new BeaconWorld(new BeaconLimits { FramesMax = 50 });
        Guest guest = world.Enter(1);
        int answered = 0;
        while (world.Core.Handle(guest, new BeaconFrame(BeaconFrameType.Ping, 1), world.Now))
        {
            Assert.InRange(answered++, 0, 50);
        }

        for (int i = 0; i < 1_000; i++)
        {
            world.Core.Handle(guest, new BeaconFrame(BeaconFrameType.Ping, 1), world.Now);
        }

        Assert.Equal(51, guest.Outbox.Count);
    }

    [Fact]
    public void A_device_gets_no_channel_to_itself()
    {
        Guest guest = _world.Enter(1);
        _world.Hello(guest, 1);
        Assert.Empty(guest.Channels);
    }

    /// <summary>Whatever devices, strangers and spoofers do: nothing grows, nothing goes to who has not proven its address but back to where it came from, and the tables agree.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Holds_its_promises_whatever_happens(int seed)
    {
        const int devices = 12;
        var random = new Random(seed);
        var world = new BeaconWorld(new BeaconLimits { DevicesMax = 10, ChannelsMax = 20, BytesPerSecond = 5_000, BurstBytes = 20_000, NoticesPerSecond = 5 }, seed);
        var guests = new Dictionary<int, Guest>();
        var seen = new List<ulong>();
        for (int step = 0; step < 20_000; step++)
        {
            int device = random.Next(devices);
            guests.TryGetValue(device, out Guest? guest);
            switch (random.Next(8))
            {
                case 0 when world.Core.TryEnter(BeaconWorld.Device(device), BeaconWorld.Place(device), world.Now) is { } entered:
                    guests[device] = entered;
                    break;
                case 1 when guest is not null:
                    world.Core.Leave(guest);
                    guests.Remove(device);
                    break;
                case 2 when guest is not null:
                    world.Core.Moved(guest, BeaconWorld.Place(random.Next(200)));
                    break;
                case 3 when guest is not null:
                    world.Core.Handle(guest, new BeaconFrame(
                        BeaconFrameType.Hello,
                        Devices: [.. Enumerable.Range(0, devices).Where(_ => random.Next(3) > 0).Select(BeaconWorld.Device)],
                        Meetings: [.. Enumerable.Range(0, 5).Where(_ => random.Next(3) == 0).Select(meeting => (UInt128)meeting)]), world.Now);
                    seen.AddRange(guest.Channels.Values.Select(end => end.Id));
                    break;
                case 4:
                    world.Now += TimeSpan.FromMilliseconds(random.Next(50));
                    world.Core.HandleTimeout(world.Now);
                    break;
                default:
                    byte[] envelope = BeaconWorld.Envelope(seen.Count > 0 && random.Next(4) > 0 ? seen[^random.Next(1, Math.Min(seen.Count, 30) + 1)] : (ulong)random.NextInt64(), random.Next(1, 1400));
                    IPEndPoint from = guest is not null && random.Next(3) > 0 ? guest.Address : BeaconWorld.Place(random.Next(200));
                    int length = world.Relay(envelope, from, out IPEndPoint to);
                    Assert.InRange(length, 0, envelope.Length);
                    Assert.True(length == 0 || (length == RelayEnvelope.NoticeBytes && to.Equals(from)) || guests.Values.Any(each => each.Address.Equals(to)), $"seed {seed}, step {step}: {length} bytes to {to}");
                    break;
            }

            foreach (Guest each in guests.Values)
            {
                each.Outbox.Clear();
            }

            Assert.Equal(guests.Count, world.Core.Counters.Devices);
            Assert.Equal(guests.Values.Sum(each => each.Channels.Count), 2 * world.Core.Counters.Channels);
            Assert.InRange(world.Core.Counters.Channels, 0, 20);
        }
    }
}
