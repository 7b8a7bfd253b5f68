using System.Net;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// A thousand sessions and ten thousand known devices at one device, for few seeds; for the others as many as the time of CI has room for. All come at once, rest,
/// speak together, and lose the one in the middle at one moment, as a relay that is started again.
/// </summary>
internal sealed class CrowdWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    /// <summary>Of two hundred seeds in CI, one is whole.</summary>
    public const int WholeEvery = 200;

    private const string Spread = "back in the busiest tenth of a second after a restart, share";

    private const string Late = "last one back after a restart within three seconds, s";

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.Within(Late, Seconds(4), share: 1), Bar.AtMost(Spread, 0.6)];

    public override void Run()
    {
        bool isWhole = Seed % WholeEvery == 1;
        (int known, int members) = isWhole ? (10_000, 1_000) : (60, 12);
        DeviceIdentity[] devices = [.. Enumerable.Range(0, known).Select(number => DeviceIdentity.Create(new SeededEntropy((Seed * 20_000) + number)))];
        OnTheLink(devices);
        long heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        using var crowd = new Crowd(Seed, devices, members);
        crowd.Start();
        foreach (Crowd.Member member in crowd.Members)
        {
            crowd.At(crowd.Now + Between(TimeSpan.Zero, Seconds(0.2)), member.Connect);
        }

        TimeSpan? connected = crowd.Until(() => crowd.Connected == members, Seconds(30));
        Require(connected is not null, $"{crowd.Connected} of {members} are connected");
        Measure(isWhole ? "a thousand connected that came within 0.2 s, s" : "a dozen connected, s", connected);
        Speak(crowd, 1);
        Rest(crowd, members, isWhole, heapBefore);
        Speak(crowd, 2);
        Restart(crowd, members, isWhole, TimeSpan.Zero);
        Restart(crowd, members, isWhole, Chance(0.6) ? Between(Seconds(0.1), Seconds(3)) : Between(Seconds(3), Seconds(30)));
        Speak(crowd, 1);
        Steps += crowd.Datagrams;
    }

    private void Speak(Crowd crowd, int times)
    {
        const int bytes = 1_000;
        foreach (Crowd.Member member in crowd.Members)
        {
            member.Far!.Send(bytes);
            member.Near!.Send(bytes);
        }

        TimeSpan? all = crowd.Until(() => crowd.Members.All(member => member.Far!.Received == times * bytes && member.Near!.Received == times * bytes), Seconds(5));
        Require(all is not null, "not everybody was heard when all spoke at once");
        Measure("all have spoken at once and were heard, s", all);
    }

    /// <summary>Nothing is said: keep-alives and no more, and little memory.</summary>
    private void Rest(Crowd crowd, int members, bool isWhole, long heapBefore)
    {
        const int minutes = 2;
        crowd.Until(() => false, Seconds(20));
        (long wakeups, long datagrams) = (crowd.Wakeups, crowd.Datagrams);
        crowd.Until(() => false, TimeSpan.FromMinutes(minutes));
        double perEnd = (crowd.Wakeups - wakeups) / (2.0 * members * minutes);
        Measure("wake-ups of an end that rests, a minute", perEnd);

        // Twelve keep-alives a minute, a delayed acknowledgement and a timer each.
        Require(perEnd <= 48, $"{perEnd:0} wake-ups a minute of an end that rests");
        Require(crowd.Datagrams - datagrams <= 60L * members * minutes, $"{(crowd.Datagrams - datagrams) / (members * minutes)} datagrams a minute of a session that rests");
        Require(crowd.Connected == members, $"{members - crowd.Connected} sessions ended while they rested");
        long perSession = (GC.GetTotalMemory(forceFullCollection: true) - heapBefore) / members;
        Weigh("heap of both ends of a session, bytes", perSession);
        Require(!isWhole || perSession <= 2 * 20_000, $"{perSession:N0} bytes for both ends of a session that rests");
    }

    /// <summary>All lose it at one moment; they come back spread out, soon, and have not knocked busily.</summary>
    private void Restart(Crowd crowd, int members, bool isWhole, TimeSpan away)
    {
        int initiations = crowd.Initiations;
        int[] attempts = [.. crowd.Members.Select(member => member.Attempts)];
        crowd.Stop();
        crowd.Until(() => false, away);
        crowd.Start();
        TimeSpan start = crowd.Now;
        TimeSpan? back = crowd.Until(() => crowd.Connected == members, Seconds(30));
        Require(back is not null, $"{crowd.Connected} of {members} are back half a minute after an absence of {away}");
        int busiest = crowd.Members.GroupBy(member => (int)((member.ConnectedAt - start).TotalSeconds * 10)).Max(group => group.Count());
        Measure(Spread + (isWhole ? ", of a thousand" : ""), (double)busiest / members);
        Measure(away <= Seconds(3) ? Late : "last one back after a longer absence, s", back);
        Measure("initiations for each that came back", (crowd.Initiations - initiations) / (double)members);
        Require(!isWhole || busiest <= 0.3 * members, $"{busiest} of {members} come back in one tenth of a second");

        // Nobody tells them that it is away: an attempt knocks each tenth of the absence for four seconds, and another one begins after a fifth of it.
        Require(back <= Seconds(4) + (0.35 * away), $"the last one is back {back} after an absence of {away}");
        int most = crowd.Members.Select((member, number) => member.Attempts - attempts[number]).Max();
        Require(most <= 2 + (away.TotalSeconds / 0.8), $"{most} attempts of one device in an absence of {away}");
        Require(crowd.Initiations - initiations <= 6 * members, $"{crowd.Initiations - initiations} initiations of {members} devices");
    }

    /// <summary>Announcements of all devices that are known are recognised; those of others cost a look-up.</summary>
    private void OnTheLink(DeviceIdentity[] devices)
    {
        var listener = new LanListener();
        var now = new AgentMesh.Protocol.MeshInstant(Seconds(1_000), new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        listener.Admit(devices.Select(device => device.PublicKey));
        IPAddress source = IPAddress.Parse("192.0.2.9");
        int accepted = 0;
        for (int i = 0; i < 20; i++)
        {
            DeviceIdentity device = devices[Random.Next(devices.Length)];
            accepted += listener.Handle(new LanAnnouncer(device).Announce(source, 14592, wantsAnswer: false, now.Wall + Seconds(i)), source, now, out LanSighting sighting) == LanOutcome.Accepted && sighting.Device == device.Id ? 1 : 0;
        }

        (long hashes, long signatures) = (listener.HashesChecked, listener.SignaturesChecked);
        for (int i = 0; i < 100; i++)
        {
            byte[] foreign = new LanAnnouncer(devices[0]).Announce(source, 14592, wantsAnswer: false, now.Wall);
            Random.NextBytes(foreign.AsSpan(16, 16));
            Require(listener.Handle(foreign, source, now, out _) == LanOutcome.Stranger, "an announcement of nobody was taken for somebody's");
        }

        Require(accepted == 20, $"{accepted} of 20 announcements of known devices were recognised");
        Require((listener.HashesChecked, listener.SignaturesChecked) == (hashes, signatures), "strangers cost more than a look-up");
    }
}
