using System.Collections.Immutable;
using System.Runtime.Serialization;
using AgentMesh.Engine.Wire.Cluster;
using Akka.Actor;
using Akka.Cluster.Membership;

namespace Akka.Cluster.Wire;

/// <summary>Gossip as protobuf, with bounds: a cluster of this engine has hundreds of members, not millions.</summary>
internal static class GossipContract
{
    private const int NodesMax = 10_000;

    public static Node Write(UniqueAddress node) => new() { Address = node.Address.ToString(), Uid = node.Uid };

    public static UniqueAddress Read(Node? node) => node is null ? throw new SerializationException("A node is missing") : new UniqueAddress(ReadAddress(node.Address), node.Uid);

    public static Address ReadAddress(string text) => Address.TryParse(text, out Address? address) ? address : throw new SerializationException("No address");

    public static IEnumerable<AgentMesh.Engine.Wire.Cluster.Version> Write(VectorClock clock) =>
        clock.Versions.Select(version => new AgentMesh.Engine.Wire.Cluster.Version { Node = Write(version.Key), Count = version.Value });

    public static VectorClock Read(IReadOnlyCollection<AgentMesh.Engine.Wire.Cluster.Version> versions) =>
        new(Bounded(versions).ToImmutableSortedDictionary(version => Read(version.Node), version => version.Count));

    public static GossipState Write(Gossip gossip)
    {
        var state = new GossipState();
        foreach (Member member in gossip.Members)
        {
            var written = new MemberState { Node = Write(member.UniqueAddress), Status = (int)member.Status, UpNumber = member.UpNumber };
            written.Roles.AddRange(member.Roles);
            state.Members.Add(written);
        }

        foreach ((UniqueAddress observer, ObserverRow row) in gossip.Reachability.Rows)
        {
            var written = new Observer { Node = Write(observer), Version = row.Version };
            written.Unreachable.AddRange(row.Unreachable.Select(Write));
            state.Reachability.Add(written);
        }

        state.SeenBy.AddRange(gossip.SeenBy.Select(Write));
        state.Version.AddRange(Write(gossip.Version));
        state.Tombstones.AddRange(gossip.Tombstones.Select(stone => new Tombstone { Node = Write(stone.Key), AtUnixMilliseconds = stone.Value }));
        return state;
    }

    public static Gossip Read(GossipState? state)
    {
        if (state is null)
            throw new SerializationException("The gossip is missing");
        return new Gossip(
            [.. Bounded(state.Members).Select(Read)],
            new Reachability(Bounded(state.Reachability).ToImmutableSortedDictionary(row => Read(row.Node), row => new ObserverRow(row.Version, [.. Bounded(row.Unreachable).Select(Read)]))),
            [.. Bounded(state.SeenBy).Select(Read)],
            Read(state.Version),
            Bounded(state.Tombstones).ToImmutableDictionary(stone => Read(stone.Node), stone => stone.AtUnixMilliseconds));
    }

    private static Member Read(MemberState member) => Enum.IsDefined((MemberStatus)member.Status)
        ? new Member(Read(member.Node), member.UpNumber, (MemberStatus)member.Status, [.. Bounded(member.Roles)])
        : throw new SerializationException($"Unknown status {member.Status} of a member");

    private static IReadOnlyCollection<T> Bounded<T>(IReadOnlyCollection<T> items) =>
        items.Count <= NodesMax ? items : throw new SerializationException($"{items.Count} entries are more than {NodesMax}");
}
