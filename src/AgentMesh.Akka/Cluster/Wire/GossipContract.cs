using System.Collections.Immutable;
using System.Runtime.Serialization;
using AgentMesh.Engine.Wire.Cluster;
using Akka.Actor;
using Akka.Cluster.Membership;

namespace Akka.Cluster.Wire;

/// <summary>Gossip as protobuf, with bounds well above what this engine writes: a cluster has hundreds of members, not millions.</summary>
internal static class GossipContract
{
    private const int NodesMax = 5_000;
    private const int AddressCharactersMax = 1_000;

    public static Node Write(UniqueAddress node) => new() { Address = node.Address.ToString(), Uid = node.Uid };

    public static UniqueAddress Read(Node? node) => node is null ? throw new SerializationException("A node is missing") : new UniqueAddress(ReadAddress(node.Address), node.Uid);

    public static Address ReadAddress(string text) =>
        text.Length <= AddressCharactersMax && Address.TryParse(text, out Address? address) ? address : throw new SerializationException("No address");

    public static GossipState Write(Gossip gossip)
    {
        var state = new GossipState();
        var nodes = new Dictionary<UniqueAddress, uint>();
        var roles = new Dictionary<string, uint>(StringComparer.Ordinal);
        uint NodeIndex(UniqueAddress node)
        {
            if (nodes.TryAdd(node, (uint)nodes.Count))
                state.Nodes.Add(Write(node));
            return nodes[node];
        }

        uint RoleIndex(string role)
        {
            if (roles.TryAdd(role, (uint)roles.Count))
                state.Roles.Add(role);
            return roles[role];
        }

        foreach (Member member in gossip.Members)
        {
            var written = new MemberState { Node = NodeIndex(member.UniqueAddress), Status = (int)member.Status, UpNumber = member.UpNumber };
            written.Roles.AddRange(member.Roles.Select(RoleIndex));
            state.Members.Add(written);
        }

        foreach ((UniqueAddress observer, ObserverRow row) in gossip.Reachability.Rows)
        {
            var written = new Observer { Node = NodeIndex(observer), Version = row.Version };
            written.Unreachable.AddRange(row.Unreachable.Select(NodeIndex));
            state.Reachability.Add(written);
        }

        state.SeenBy.AddRange(gossip.SeenBy.Select(NodeIndex));
        state.Version.AddRange(gossip.Version.Versions.Select(entry => new AgentMesh.Engine.Wire.Cluster.Version { Node = NodeIndex(entry.Key), Count = entry.Value }));
        state.Tombstones.AddRange(gossip.Tombstones.Select(stone => new Tombstone { Node = NodeIndex(stone.Key), AtUnixMilliseconds = stone.Value }));
        return state;
    }

    /// <exception cref="SerializationException">It is no gossip, or larger than any real one.</exception>
    /// <exception cref="ArgumentException">Something stands twice.</exception>
    public static Gossip Read(GossipState? state)
    {
        if (state is null)
            throw new SerializationException("The gossip is missing");
        UniqueAddress[] nodes = [.. Bounded(state.Nodes).Select(Read)];
        string[] roles = [.. Bounded(state.Roles)];
        UniqueAddress NodeAt(uint index) => At(nodes, index);
        Member ReadMember(MemberState member) => Enum.IsDefined((MemberStatus)member.Status)
            ? new Member(NodeAt(member.Node), member.UpNumber, (MemberStatus)member.Status, [.. Bounded(member.Roles).Select(role => At(roles, role))])
            : throw new SerializationException($"Unknown status {member.Status} of a member");
        return new Gossip(
            [.. Bounded(state.Members).Select(ReadMember)],
            new Reachability(Bounded(state.Reachability).ToImmutableSortedDictionary(row => NodeAt(row.Node), row => new ObserverRow(row.Version, [.. Bounded(row.Unreachable).Select(NodeAt)]))),
            [.. Bounded(state.SeenBy).Select(NodeAt)],
            new VectorClock(Bounded(state.Version).ToImmutableSortedDictionary(entry => NodeAt(entry.Node), entry => entry.Count)),
            Bounded(state.Tombstones).ToImmutableDictionary(stone => NodeAt(stone.Node), stone => stone.AtUnixMilliseconds));
    }

    private static T At<T>(T[] table, uint index) => index < table.Length ? table[index] : throw new SerializationException($"There is no entry {index}");

    private static IReadOnlyCollection<T> Bounded<T>(IReadOnlyCollection<T> items) =>
        items.Count <= NodesMax ? items : throw new SerializationException($"{items.Count} entries are more than {NodesMax}");
}
