using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Membership;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Gossip made by hand or by chance.</summary>
internal static class GossipLab
{
    public static UniqueAddress[] Nodes { get; } = [.. Enumerable.Range(0, 60).Select(i => new UniqueAddress(new Address("akka.test", "lab", $"n{i:00}", 1), i + 1))];

    public static Member Joining(int node, params string[] roles) => new(Nodes[node], Member.NotUpYet, MemberStatus.Joining, [.. roles]);

    public static Member Up(int node, int number) => Joining(node).CopyUp(number);

    public static Gossip Of(params Member[] members) => Gossip.Empty with { Members = [.. members] };

    public static Gossip SeenByAll(this Gossip gossip) => gossip with { SeenBy = [.. gossip.Members.Select(member => member.UniqueAddress)] };

    public static Gossip Unreachable(this Gossip gossip, int observer, params int[] subjects) =>
        gossip with { Reachability = gossip.Reachability.With(Nodes[observer], [.. subjects.Select(subject => Nodes[subject])]) };

    public static View From(this Gossip gossip, int self) => new(gossip, Nodes[self]);

    /// <summary>Copies as they arise from one state by changes of several members, none of which has heard of the others'.</summary>
    public static Gossip[] Copies(Random random, int count)
    {
        Gossip common = Of([.. Enumerable.Range(0, 5).Select(i => Up(i, i + 1))]);
        return [.. Enumerable.Range(0, count).Select(i => Enumerable.Range(0, random.Next(1, 5)).Aggregate(common, (gossip, _) => Change(gossip, i, random)))];
    }

    /// <summary>Something that the member does.</summary>
    public static Gossip Change(Gossip gossip, int self, Random random)
    {
        UniqueAddress other = Nodes[random.Next(8)];
        Member? known = gossip.Find(other);
        Gossip next = random.Next(5) switch
        {
            0 when known is null && !gossip.Tombstones.ContainsKey(other) => gossip.Put(new Member(other, Member.NotUpYet, MemberStatus.Joining, ["r"])),
            1 when known is not null && other != Nodes[self] => gossip.Put(known.Copy(MemberStatus.Down)),
            2 when known is not null && other != Nodes[self] => gossip.Remove(other, random.Next(1000)),
            3 when known?.Status is MemberStatus.Joining => gossip.Put(known.CopyUp(other.Uid)),
            _ => gossip with { Reachability = gossip.Reachability.With(Nodes[self], [.. gossip.Members.Select(member => member.UniqueAddress).Where(node => node != Nodes[self] && random.Next(3) == 0)]) },
        };
        return next.ChangedBy(Nodes[self]);
    }

    public static string Text(this Gossip gossip) => string.Join(
        "; ",
        string.Join(", ", gossip.Members),
        string.Join(", ", gossip.Reachability.Rows.Where(row => !row.Value.Unreachable.IsEmpty).Select(row => $"{row.Key} v{row.Value.Version} !{string.Join("+", row.Value.Unreachable.Order())}")),
        string.Join(", ", gossip.Version.Versions.Select(entry => $"{entry.Key}={entry.Value}")),
        string.Join(", ", gossip.Tombstones.OrderBy(stone => stone.Key).Select(stone => $"{stone.Key}+{stone.Value}")));
}
