using System.Text.Json.Nodes;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Tests;

/// <summary>What a beacon does with codes, with a clock that only the test moves.</summary>
public sealed class CodeDeskTests
{
    private static readonly byte[] Message = [0x90, 1, 1, 0, .. new byte[60]];
    private static readonly UInt128 Here = 7;

    private BeaconWorld _world = new();

    [Fact]
    public void A_place_has_the_value_of_the_vectors()
    {
        foreach (JsonNode? vector in JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "beacon-v1-vectors.json")))!["codePlaces"]!.AsArray())
        {
            var key = new DevicePublicKey(Convert.FromHexString((string)vector!["given"]!["beacon"]!));
            UInt128 place = BeaconCodeWay.PlaceOf(key, (ushort)vector["given"]!["nameplate"]!);
            Assert.Equal((string)vector["expected"]!["place"]!, place.ToString("x32", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void Messages_pass_between_who_asks_and_who_has_the_place_and_nobody_else()
    {
        Guest inviter = Enter(1), joiner = Enter(2), other = Enter(3);
        Assert.Equal(CodePlaceStatus.TakenIn, Name(inviter, Here)[0]);

        BeaconFrame asked = Ask(joiner, Here, inviter)!;
        Assert.Equal(Message, asked.Message);
        Answer(other, asked.Count);
        Assert.Empty(BeaconWorld.Said(joiner));
        Answer(inviter, asked.Count);
        BeaconFrame answered = Assert.Single(BeaconWorld.Said(joiner));

        Assert.Equal((BeaconFrameType.CodeAnswered, Here), (answered.Type, answered.Meetings![0]));
        Assert.Empty(BeaconWorld.Said(other));
        Assert.Empty(inviter.Channels);
    }

    [Fact]
    public void A_second_device_that_names_the_same_place_is_told_that_it_is_occupied_until_the_first_has_left()
    {
        Guest first = Enter(1), second = Enter(2);
        Name(first, Here);
        Assert.Equal(CodePlaceStatus.Occupied, Name(second, Here)[0]);
        _world.Core.Leave(first);
        Assert.Equal(CodePlaceStatus.TakenIn, Name(second, Here)[0]);
    }

    [Fact]
    public void A_place_is_over_after_ten_minutes_however_often_it_is_named()
    {
        Guest inviter = Enter(1), joiner = Enter(2);
        Name(inviter, Here);
        _world.Now += TimeSpan.FromMinutes(9.9);
        Assert.Equal(CodePlaceStatus.TakenIn, Name(inviter, Here)[0]);
        BeaconFrame asked = Ask(joiner, Here, inviter)!;
        _world.Now += TimeSpan.FromMinutes(0.2);

        Assert.Equal(CodePlaceStatus.Over, Name(inviter, Here)[0]);
        Assert.Null(Ask(joiner, Here, inviter));
        Assert.Equal(CodeNobodyReason.Nobody, RefusedTo(joiner));
        Answer(inviter, asked.Count);
        Assert.Empty(BeaconWorld.Said(joiner));
    }

    [Fact]
    public void A_place_that_is_named_no_more_is_free_and_its_callers_reach_nobody()
    {
        Guest inviter = Enter(1), joiner = Enter(2);
        Name(inviter, Here, 8);
        BeaconFrame asked = Ask(joiner, Here, inviter)!;
        Name(inviter, 8);
        Answer(inviter, asked.Count);
        Assert.Empty(BeaconWorld.Said(joiner));
        Assert.Null(Ask(joiner, Here, inviter));
        Assert.Equal((1, 0), (_world.Core.Counters.Codes.Places, _world.Core.Counters.Codes.Calls));
    }

    [Fact]
    public void Few_messages_pass_in_either_direction()
    {
        Guest inviter = Enter(1), joiner = Enter(2);
        Name(inviter, Here);
        int there = 0, back = 0;
        uint caller = 0;
        for (int i = 0; i < 1_000; i++)
        {
            if (Ask(joiner, Here, inviter) is { } asked)
            {
                there++;
                caller = asked.Count;
            }

            BeaconWorld.Said(joiner);
        }

        for (int i = 0; i < 1_000; i++)
        {
            Answer(inviter, caller);
            back += BeaconWorld.Said(joiner).Count;
        }

        Assert.Equal((48, 48), (there, back));
        Assert.True(_world.Core.Counters.Codes.Limited >= 952);
    }

    [Fact]
    public void A_place_is_asked_by_sixteen_devices_in_all()
    {
        Guest inviter = Enter(1);
        Name(inviter, Here);
        int reached = 0;
        for (int i = 0; i < 100; i++)
        {
            Guest guesser = Enter(10 + i);
            reached += Ask(guesser, Here, inviter) is null ? 0 : 1;
            _world.Core.Leave(guesser);
        }

        Assert.Equal(16, reached);
        Assert.Equal(0, _world.Core.Counters.Codes.Calls);
    }

    [Fact]
    public void An_address_that_tries_all_places_in_turn_is_stopped_whatever_device_it_says_to_be()
    {
        Guest inviter = Enter(1);
        Name(inviter, [.. Enumerable.Range(0, 32).Select(each => (UInt128)each)]);
        int reached = 0;
        for (int i = 0; i < 1_024; i++)
        {
            // Each with an identity of its own, all behind one address.
            Guest guesser = _world.Core.TryEnter(BeaconWorld.Device(100 + i), BeaconWorld.Place(200), _world.Now)!;
            _world.Hello(guesser);
            BeaconWorld.Said(guesser);
            reached += Ask(guesser, (UInt128)(i % 32), inviter) is null ? 0 : 1;
            _world.Core.Leave(guesser);
        }

        Assert.Equal(20, reached);
        _world.Now += TimeSpan.FromMinutes(1);
        Guest later = Enter(2);
        later.Address = BeaconWorld.Place(200);
        Assert.NotNull(Ask(later, 0, inviter));
    }

    [Fact]
    public void An_address_cannot_occupy_all_places()
    {
        int taken = 0;
        for (int i = 0; i < 32; i++)
        {
            Guest squatter = _world.Core.TryEnter(BeaconWorld.Device(100 + i), BeaconWorld.Place(200), _world.Now)!;
            _world.Hello(squatter);
            BeaconWorld.Said(squatter);
            taken += Name(squatter, [.. Enumerable.Range(i * 32, 32).Select(each => (UInt128)each)]).Count(status => status == CodePlaceStatus.TakenIn);
        }

        Assert.Equal(64, taken);
    }

    [Fact]
    public void Addresses_of_one_IPv6_network_have_one_allowance_and_the_table_of_them_is_bounded()
    {
        var allowances = new CodeAllowances(burst: 10, sourcesMax: 4);
        Assert.True(allowances.TryTake(System.Net.IPAddress.Parse("2001:db8::1"), 10, _world.Now));
        Assert.False(allowances.TryTake(System.Net.IPAddress.Parse("2001:db8::2"), 10, _world.Now));
        Assert.True(allowances.TryTake(System.Net.IPAddress.Parse("2001:db8:0:1::1"), 10, _world.Now));
        for (int i = 0; i < 10; i++)
        {
            allowances.TryTake(BeaconWorld.Place(i).Address, 10, _world.Now);
        }

        Assert.Equal(4, allowances.Count);
        Assert.True(allowances.TryTake(BeaconWorld.Place(99).Address, 10, _world.Now + TimeSpan.FromSeconds(11)));
    }

    [Fact]
    public void Frames_that_wait_for_an_inviter_are_not_pushed_out_by_those_who_ask()
    {
        Guest inviter = Enter(1);
        Name(inviter, [.. Enumerable.Range(0, 32).Select(each => (UInt128)each)]);
        for (int i = 0; i < 30; i++)
        {
            Guest guesser = Enter(10 + i);
            for (int n = 0; n < 40; n++)
            {
                Say(guesser, new BeaconFrame(BeaconFrameType.CodeAsk, Meetings: [(UInt128)i], Message: Message));
            }
        }

        Assert.Equal(256, inviter.Outbox.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_devices_do_counts_stay_right_and_nothing_is_left_when_they_are_gone(int seed)
    {
        var random = new Random(seed);
        _world = new BeaconWorld(new BeaconLimits { CodePlacesMax = 40, CodeCallsMax = 30 }, seed);
        var guests = new Dictionary<int, Guest>();
        for (int step = 0; step < 5_000; step++)
        {
            int number = random.Next(12);
            if (!guests.TryGetValue(number, out Guest? guest))
            {
                guests[number] = guest = Enter(number);
            }

            switch (random.Next(6))
            {
                case 0:
                    Say(guest, new BeaconFrame(BeaconFrameType.CodePlaces, Meetings: [.. Enumerable.Range(0, random.Next(33)).Select(_ => (UInt128)random.Next(50))]));
                    break;
                case 1:
                    _world.Core.Leave(guest);
                    guests.Remove(number);
                    break;
                case 2:
                    Say(guest, new BeaconFrame(BeaconFrameType.CodeAnswer, Count: (uint)random.Next(60), Message: Message));
                    break;
                case 3:
                    _world.Now += TimeSpan.FromSeconds(random.Next(30));
                    break;
                default:
                    Say(guest, new BeaconFrame(BeaconFrameType.CodeAsk, Meetings: [(UInt128)random.Next(50)], Message: Message));
                    break;
            }

            guest.Outbox.Clear();
            CodeCounters now = _world.Core.Counters.Codes;
            Assert.True(now.Places <= 40 && now.Calls <= 30, $"seed {seed}, step {step}: {now}");
            Assert.Equal(guests.Values.Sum(each => each.CodePlaces.Count), now.Places);
            Assert.Equal(guests.Values.Sum(each => each.CodeCalls.Count), now.Calls);
        }

        foreach (Guest guest in guests.Values)
        {
            _world.Core.Leave(guest);
        }

        Assert.Equal((0, 0), (_world.Core.Counters.Codes.Places, _world.Core.Counters.Codes.Calls));
    }

    private Guest Enter(int number)
    {
        Guest guest = _world.Enter(number);
        _world.Hello(guest);
        BeaconWorld.Said(guest);
        return guest;
    }

    private void Say(Guest guest, BeaconFrame frame) => Assert.True(_world.Core.Handle(guest, frame, _world.Now));

    private CodePlaceStatus[] Name(Guest guest, params UInt128[] places)
    {
        Say(guest, new BeaconFrame(BeaconFrameType.CodePlaces, Meetings: places));
        return [.. BeaconWorld.Said(guest).Select(frame => (CodePlaceStatus)frame.Count)];
    }

    /// <summary>What reached the inviter.</summary>
    private BeaconFrame? Ask(Guest guest, UInt128 place, Guest inviter)
    {
        Say(guest, new BeaconFrame(BeaconFrameType.CodeAsk, Meetings: [place], Message: Message));
        return BeaconWorld.Said(inviter).SingleOrDefault();
    }

    private void Answer(Guest guest, uint caller) => Say(guest, new BeaconFrame(BeaconFrameType.CodeAnswer, Count: caller, Message: Message));

    private static CodeNobodyReason RefusedTo(Guest guest) => (CodeNobodyReason)BeaconWorld.Said(guest).Single(frame => frame.Type == BeaconFrameType.CodeNobody).Count;
}
