using Akka.Cluster.Membership;
using static AgentMesh.EngineTests.Cluster.GossipLab;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>When a member need not ask, because heartbeats have said it.</summary>
public sealed class ContactsTests
{
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);

    private readonly Contacts _contacts = new(TimeSpan.FromMilliseconds(500));

    [Fact]
    public void Who_is_asked_asks_by_itself_when_a_heartbeat_is_half_an_interval_late()
    {
        Assert.False(_contacts.IsAskedBy(Nodes[1], Start));

        _contacts.Asked(Nodes[1], Start);

        Assert.True(_contacts.IsAskedBy(Nodes[1], After(750)));
        Assert.False(_contacts.IsAskedBy(Nodes[1], After(751)));
        Assert.False(_contacts.IsAskedBy(Nodes[2], Start));
    }

    [Fact]
    public void An_answer_counts_for_one_heartbeat()
    {
        Assert.False(_contacts.TakeAnswer(Nodes[1]));

        _contacts.Answered(Nodes[1]);

        Assert.False(_contacts.TakeAnswer(Nodes[2]));
        Assert.True(_contacts.TakeAnswer(Nodes[1]));
        Assert.False(_contacts.TakeAnswer(Nodes[1]));
    }

    [Fact]
    public void Who_had_the_same_gossip_lately_agrees_until_either_has_other()
    {
        _contacts.Answered(Nodes[1]);
        Assert.False(_contacts.Agrees(Nodes[1], 0, Start));

        _contacts.Agreed(Nodes[1], 7, Start);

        Assert.True(_contacts.Agrees(Nodes[1], 7, After(750)));
        Assert.False(_contacts.Agrees(Nodes[1], 7, After(751)));
        Assert.False(_contacts.Agrees(Nodes[1], 8, Start));
        Assert.False(_contacts.Agrees(Nodes[2], 7, Start));
    }

    [Fact]
    public void Who_is_no_member_any_more_is_forgotten()
    {
        _contacts.Asked(Nodes[1], Start);
        _contacts.Asked(Nodes[2], Start);

        _contacts.Keep(node => node == Nodes[2]);

        Assert.False(_contacts.IsAskedBy(Nodes[1], Start));
        Assert.True(_contacts.IsAskedBy(Nodes[2], Start));
    }

    private static TimeSpan After(int milliseconds) => Start + TimeSpan.FromMilliseconds(milliseconds);
}
