using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Paths are measured because somebody asks; nothing else comes of it.</summary>
public sealed class PathMeasuringTests
{
    private static Way Near => new("192.0.2.1:5000", "192.0.2.2:5000", 10);

    private static Way Far => new("198.51.100.1:5000", "198.51.100.2:5000", 40);

    [Fact]
    public void Each_path_is_measured_by_itself_and_the_one_in_use_stays()
    {
        using WaysPair pair = Linked(Near, Far, WaysPair.Relay(7, 80));
        pair.Run(120); // nothing is said, so paths are not asked by themselves any more
        PathQuestion[] questions = [.. pair.A.Connection.Paths.All.Select(path => pair.A.Connection.Measure(path.Address)!)];

        Assert.Equal(3, questions.Length);
        Assert.NotNull(pair.Until(() => questions.All(question => question.RoundTrip is not null), TimeSpan.FromSeconds(2)));
        Assert.All(pair.Ways, way => Assert.InRange(questions.Single(question => question.Path.Equals(way.B)).RoundTrip!.Value, 2 * way.Delay, (2 * way.Delay) + TimeSpan.FromMilliseconds(30)));
        Assert.Equal(pair.Ways[0].B, pair.A.Connection.Remote);
        Assert.Equal(pair.Ways[0].A, pair.B.Connection.Remote);
    }

    [Fact]
    public void A_path_that_is_cut_gives_no_answer_and_stays_what_it_was()
    {
        using WaysPair pair = Linked(Near, Far);
        KnownPath far = pair.A.Path(pair.Ways[1].B)!;
        pair.Ways[1].IsCut = true;
        PathQuestion question = pair.A.Connection.Measure(far.Address)!;
        pair.Run(3);

        Assert.Null(question.RoundTrip);
        Assert.False(far.IsFailed);
        pair.A.Connection.GiveUp(question);
        pair.Ways[1].IsCut = false;
        Assert.NotNull(pair.A.Connection.Measure(far.Address));
    }

    [Fact]
    public void An_answer_from_elsewhere_is_none()
    {
        var measuring = new PathMeasuring(new SeededEntropy(1));
        PathQuestion question = measuring.Begin(Far.B)!;
        Assert.True(measuring.TryNext(TimeSpan.Zero, out IPEndPoint to, out ReadOnlySpan<byte> asked));
        byte[] data = asked.ToArray();
        Assert.Equal(Far.B, to);

        measuring.Answered(data);
        Assert.False(measuring.TryTake(Near.B, TimeSpan.FromSeconds(1)));
        Assert.Null(question.RoundTrip);
        measuring.Answered(data);
        Assert.True(measuring.TryTake(Far.B, TimeSpan.FromSeconds(2)));
        Assert.Equal(TimeSpan.FromSeconds(2), question.RoundTrip);
    }

    [Fact]
    public void No_more_wait_for_an_answer_than_are_bounded()
    {
        var measuring = new PathMeasuring(new SeededEntropy(1));
        PathQuestion[] open = [.. Enumerable.Range(0, PathMeasuring.QuestionsMax).Select(_ => measuring.Begin(Far.B)!)];

        Assert.Null(measuring.Begin(Far.B));
        measuring.GiveUp(open[3]);
        Assert.NotNull(measuring.Begin(Far.B));
    }

    [Fact]
    public void The_path_in_use_knows_since_when()
    {
        using WaysPair pair = Linked(Near, WaysPair.Relay(7, 80));
        TimeSpan before = pair.Now;
        Assert.Equal(TestSessions.Start, pair.A.Connection.Paths.Active.TakenAt);
        pair.Ways[0].IsCut = true;
        pair.A.Write(1_000);
        Assert.NotNull(pair.Until(() => pair.A.Connection.Remote.Equals(pair.Ways[1].B), TimeSpan.FromSeconds(10)));

        Assert.InRange(pair.A.Connection.Paths.Active.TakenAt!.Value, before, pair.Now);
    }

    private static WaysPair Linked(params Way[] ways)
    {
        var pair = new WaysPair(1, ways);
        pair.OfferRelays();
        pair.A.Write(1_000);
        pair.Run(0.5);
        pair.A.Connection.Search.Probe(ways.Select(way => way.B), pair.Now);
        pair.B.Connection.Search.Probe(ways.Select(way => way.A), pair.Now);
        pair.A.Write(1_000);
        pair.Run(3);
        return pair;
    }
}
