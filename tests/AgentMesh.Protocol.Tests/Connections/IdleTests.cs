using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What a connection costs that nobody uses. Ten minutes hold five renewals of the keys.</summary>
public class IdleTests
{
    private static readonly TimeSpan Idleness = TimeSpan.FromMinutes(10);

    // Every five seconds one side asks and the other one acknowledges; in between now and then both ask at once.
    private static readonly int KeepAlivesMax = 2 * 2 * (int)(Idleness / new ConnectionSettings().KeepAlive);

    // Request, answer, what they are acknowledged by, and the first packet with the new keys.
    private static readonly int RekeysMax = 6 * (1 + (int)(Idleness / new RekeySettings().Interval));

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(0.05, false)]
    [InlineData(0.05, true)]
    public void Idle_devices_exchange_keepalives_and_their_acknowledgements_only(double loss, bool openedByInitiator)
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Loss = loss, Jitter = TimeSpan.FromMilliseconds(3), Duplication = loss, Reordering = loss } });
        PairSide opener = openedByInitiator ? pair.A : pair.B;
        PairSide other = openedByInitiator ? pair.B : pair.A;
        other.OnOpened = stream => other.Send(stream, 1_000_000, finish: false);
        if (!openedByInitiator)
        {
            pair.Run(100); // the responder knows of the session when the first packet arrives
        }

        ProtocolStream[] streams = [.. Enum.GetValues<StreamClass>().Select(c => opener.SendNew(1_000_000, c, finish: false))];
        pair.Until(() => streams.All(s => opener.ReadingOf(s).Bytes == 1_000_000 && other.ReadingOf(s).Bytes == 1_000_000));
        pair.Run(TimeSpan.FromSeconds(5));
        long sentA = pair.A.Outgoing.Entered, sentB = pair.B.Outgoing.Entered, wakeups = pair.Wakeups;
        pair.Run(Idleness);

        Assert.True(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen, pair.Describe("ended"));
        sentA = pair.A.Outgoing.Entered - sentA;
        sentB = pair.B.Outgoing.Entered - sentB;
        int most = (KeepAlivesMax / 2) + RekeysMax;
        int repeated = (int)(2 * 3 * loss * most); // a lost ping or acknowledgement costs two probes and their answer
        Assert.True(sentA <= most + repeated && sentB <= most + repeated, pair.Describe($"A sent {sentA}, B {sentB}"));
        Assert.True(sentA + sentB >= 2 * (int)(Idleness / new ConnectionSettings().KeepAlive) * 0.9, pair.Describe($"A sent {sentA}, B {sentB}"));
        Assert.True(pair.Wakeups - wakeups <= 4 * (sentA + sentB), pair.Describe($"{pair.Wakeups - wakeups} wake-ups"));
    }

    [Fact]
    public void An_acknowledgement_is_not_acknowledged()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1, 2, 3], fin: false)).Wait(10);
        puppet.Target.Streams.Write(puppet.Opened[Puppet.Ours(0).Value], [1]);
        puppet.Work().Forget();
        for (int i = 0; i < 200; i++)
        {
            puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (0, puppet.Target.Path.Sent.Next - 1))).Wait(20);
        }

        Assert.Empty(puppet.Packets);
    }

    [Fact]
    public void A_keepalive_does_not_wait_for_the_pacer()
    {
        using var pair = new Pair();
        pair.A.SendNew(1_000, finish: false);
        pair.Run(1_000);
        long before = pair.A.Outgoing.Entered;
        pair.A.Connection.Path.Pacer.Sent(1_000_000_000); // as after many probes on a path that carries next to nothing
        pair.Run(5_500);
        Assert.True(pair.A.Outgoing.Entered > before, pair.Describe("nothing was sent"));
    }
}
