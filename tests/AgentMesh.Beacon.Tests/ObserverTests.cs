using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Transport.Spare;

namespace AgentMesh.Beacon.Tests;

/// <summary>What a beacon says about where datagrams and devices are, and to whom.</summary>
public sealed class ObserverTests
{
    private static readonly JsonArray Vectors = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "beacon-v1-vectors.json")))!["observer"]!.AsArray();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Messages_have_the_bytes_of_the_vectors()
    {
        foreach (JsonNode? vector in Vectors)
        {
            ulong nonce = Convert.ToUInt64((string)vector!["nonce"]!, 16);
            if (vector["question"] is { } question)
            {
                UInt128 ticket = UInt128.Parse((string)vector["ticket"]!, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
                byte[] bytes = Convert.FromHexString((string)question!);
                ushort answerTo = (ushort?)vector["answer_to"] ?? 0;
                Assert.Equal(bytes, ObserverMessages.Question(ticket, nonce, (bool)vector["from_other_port"]!, answerTo));
                Assert.True(ObserverMessages.TryReadQuestion(bytes, out UInt128 read, out ulong readNonce, out bool other, out ushort readAnswerTo));
                Assert.Equal((ticket, nonce, (bool)vector["from_other_port"]!, answerTo), (read, readNonce, other, readAnswerTo));
            }
            else
            {
                IPEndPoint address = IPEndPoint.Parse((string)vector["address"]!);
                byte[] bytes = Convert.FromHexString((string)vector["answer"]!);
                Assert.Equal(bytes, ObserverMessages.Answer(nonce, address));
                Assert.Equal(address, ObserverMessages.TryReadAnswer(bytes, out ulong read));
                Assert.Equal(nonce, read);
            }
        }
    }

    [Fact]
    public void Damaged_messages_are_refused_or_read_and_never_throw()
    {
        foreach (JsonNode? vector in Vectors)
        {
            byte[] bytes = Convert.FromHexString((string)(vector!["question"] ?? vector["answer"])!);
            for (int length = 0; length < bytes.Length; length++)
            {
                Assert.False(ObserverMessages.TryReadQuestion(bytes.AsSpan(0, length), out _, out _, out _, out _));
                Assert.Null(ObserverMessages.TryReadAnswer(bytes.AsSpan(0, length), out _));
            }

            Assert.False(ObserverMessages.TryReadQuestion([.. bytes, 0], out _, out _, out _, out _));
            for (int bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                ObserverMessages.TryReadQuestion(bytes, out _, out _, out _, out _);
                ObserverMessages.TryReadAnswer(bytes, out _);
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void A_question_that_names_a_port_without_asking_for_an_answer_there_is_none()
    {
        byte[] bytes = ObserverMessages.Question(1, 2, fromOtherPort: false, answerTo: 7);
        foreach (byte what in new byte[] { 0, 1, 3 })
        {
            bytes[25] = what;
            Assert.False(ObserverMessages.TryReadQuestion(bytes, out _, out _, out _, out ushort answerTo));
            Assert.Equal(0, answerTo);
        }

        byte[] plain = ObserverMessages.Question(1, 2, fromOtherPort: false);
        plain[25] = 2;
        Assert.False(ObserverMessages.TryReadQuestion(plain, out _, out _, out _, out _));
    }

    [Fact]
    public void A_device_is_told_where_the_other_end_of_its_own_channel_is_and_no_other_one()
    {
        var world = new BeaconWorld();
        (Guest one, Guest two) = world.Meet();
        Guest stranger = world.Enter(3);
        ulong channel = one.Channels[two.Device].Id;

        Assert.Equal(1u, Ask(one, channel, new IPEndPoint(two.Address.Address, 7)));
        Assert.Equal(0u, Ask(one, channel, BeaconWorld.Place(9)));
        Assert.Null(Ask(one, two.Channels[one.Device].Id, two.Address));
        Assert.Null(Ask(stranger, channel, two.Address));
        world.Core.Moved(two, BeaconWorld.Place(9));
        Assert.Equal(1u, Ask(one, channel, BeaconWorld.Place(9)));

        uint? Ask(Guest guest, ulong about, IPEndPoint address)
        {
            BeaconWorld.Said(guest);
            Assert.True(world.Core.Handle(guest, new BeaconFrame(BeaconFrameType.Confirm, about, address), world.Now));
            return BeaconWorld.Said(guest).SingleOrDefault(frame => frame.Type == BeaconFrameType.Confirmed)?.Count;
        }
    }

    [Fact]
    public void Questions_about_others_are_answered_sixteen_at_once_and_then_one_a_second()
    {
        var world = new BeaconWorld();
        (Guest one, Guest two) = world.Meet();
        var question = new BeaconFrame(BeaconFrameType.Confirm, one.Channels[two.Device].Id, two.Address);
        Assert.Equal(16, Answers());
        world.Now += TimeSpan.FromSeconds(3);
        Assert.Equal(3, Answers());

        int Answers()
        {
            for (int i = 0; i < 100; i++)
            {
                world.Core.Handle(one, question, world.Now);
            }

            return BeaconWorld.Said(one).Count;
        }
    }

    [Fact]
    public void A_ticket_is_good_for_a_bounded_number_of_answers_while_its_device_is_there()
    {
        var core = new BeaconCore(new BeaconLimits(), new ChannelIds([9], new SeededEntropy(1)), TimeSpan.Zero) { ObserverPort = 5 };
        Guest guest = core.TryEnter(BeaconWorld.Device(1), BeaconWorld.Place(1), TimeSpan.Zero)!;
        core.Handle(guest, new BeaconFrame(BeaconFrameType.Hello, Devices: []), TimeSpan.Zero);
        BeaconFrame told = BeaconWorld.Said(guest).Single(frame => frame.Type == BeaconFrameType.Observer);
        UInt128 ticket = told.Meetings![0];

        Assert.Equal(5u, told.Count);
        Assert.False(core.MayObserve(ticket + 1, TimeSpan.Zero));
        Assert.False(core.MayObserve(0, TimeSpan.Zero));
        Assert.Equal(300, Enumerable.Range(0, 1_000).Count(_ => core.MayObserve(ticket, TimeSpan.Zero)));
        Assert.Equal(30, Enumerable.Range(0, 1_000).Count(_ => core.MayObserve(ticket, TimeSpan.FromSeconds(1))));
        core.Leave(guest);
        Assert.False(core.MayObserve(ticket, TimeSpan.FromSeconds(100)));
    }

    [Fact]
    public async Task A_device_sees_its_usual_and_its_spare_sockets_through_an_observer()
    {
        await using var beacon = new TestBeacon();
        await using var device = new TestDevice(beacon.Place);
        device.Client.Start();
        await Wait.UntilAsync(() => device.Client.Observer is not null, "the observer is told");
        ObserverPlace observer = device.Client.Observer!;
        using SpareSocket spare = device.Endpoint.Spares.TryOpen(TimeSpan.FromMinutes(5))!;

        Assert.Equal(device.Endpoint.LocalAddresses[0], await AskAsync(null, fromOtherPort: false));
        IPEndPoint? seen = await AskAsync(spare, fromOtherPort: false);
        Assert.NotNull(seen);
        Assert.NotEqual(device.Endpoint.LocalAddresses[0], seen);
        Assert.Equal(seen, await AskAsync(spare, fromOtherPort: true)); // no NAT here: everybody is let in
        using SpareSocket other = device.Endpoint.Spares.TryOpen(TimeSpan.FromMinutes(5))!;
        Assert.True(await device.Endpoint.Observers.ReachesAsync(spare, seen!.Port, observer.Address, observer.Ticket, Patience, CancellationToken.None));
        Assert.False(await device.Endpoint.Observers.ReachesAsync(other, seen.Port, observer.Address, observer.Ticket, TimeSpan.FromMilliseconds(200), CancellationToken.None)); // it comes to another socket
        Assert.True(await device.Endpoint.Observers.HairpinsAsync(spare, device.Endpoint.LocalAddresses[0], Patience, CancellationToken.None));

        Task<IPEndPoint?> AskAsync(SpareSocket? socket, bool fromOtherPort) =>
            device.Endpoint.Observers.AskAsync(socket, observer.Address, observer.Ticket, fromOtherPort, Patience, CancellationToken.None);
    }

    [Fact]
    public async Task An_observer_does_not_answer_who_has_no_ticket()
    {
        await using var beacon = new TestBeacon();
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var observer = new IPEndPoint(IPAddress.Loopback, beacon.Server.ObserverPort!.Value);
        await stranger.SendAsync(ObserverMessages.Question(7, 1, fromOtherPort: false), observer);
        await stranger.SendAsync(new byte[200], observer);

        await using var device = new TestDevice(beacon.Place);
        device.Client.Start();
        await Wait.UntilAsync(() => device.Client.Observer is not null, "the observer is told");
        Assert.NotNull(await device.Endpoint.Observers.AskAsync(null, observer, device.Client.Observer!.Ticket, fromOtherPort: false, Patience, CancellationToken.None));
        Assert.Equal(0, stranger.Available);
    }

    [Fact]
    public async Task A_device_asks_its_beacon_where_another_one_is()
    {
        await using var beacon = new TestBeacon();
        await using var a = new TestDevice(beacon.Place);
        await using var b = new TestDevice(beacon.Place);
        a.Client.Start();
        b.Client.Start();
        a.Admit(b);
        b.Admit(a);
        await a.WayToAsync(b);

        Assert.True(await a.Client.ConfirmAsync(b.Id, new IPEndPoint(IPAddress.Loopback, 1), Patience, CancellationToken.None));
        Assert.False(await a.Client.ConfirmAsync(b.Id, IPEndPoint.Parse("203.0.113.9:1"), Patience, CancellationToken.None));
        Assert.Null(await a.Client.ConfirmAsync(a.Id, IPEndPoint.Parse("203.0.113.9:1"), Patience, CancellationToken.None));
    }
}
