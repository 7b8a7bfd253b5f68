using AgentMesh.EngineTests.Remote;
using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Real members in one process over a test transport.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task Three_systems_become_one_cluster()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");

        foreach (ActorSystem system in systems)
        {
            await Until(() => Of(system).State.Members.Count == 3 && Of(system).State.Members.All(member => member.Status == MemberStatus.Up));
            Assert.Equal(RemoteLab.AddressOf("a"), Of(system).State.Leader);
            Assert.Equal(RemoteLab.AddressOf("a"), Of(system).State.RoleLeader("all"));
        }

        Assert.True(Of(systems[0]).SelfMember.IsOlderThan(Of(systems[1]).SelfMember));
    }

    [Fact]
    public async Task Events_come_in_order_and_the_snapshot_first()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.StartMember("a");
        var probe = new Probe(a);
        Of(a).Subscribe(probe.Ref, typeof(ClusterEvent.IMemberEvent));
        Assert.Empty((await probe.Next<ClusterEvent.CurrentClusterState>()).Members);

        Of(a).Join(Of(a).SelfAddress);
        await probe.Next<ClusterEvent.MemberJoined>();
        await probe.Next<ClusterEvent.MemberUp>();
        ActorSystem b = lab.StartMember("b");
        Of(b).Join(Of(a).SelfAddress);
        Assert.Equal(Of(b).SelfUniqueAddress, (await probe.Next<ClusterEvent.MemberJoined>()).Member.UniqueAddress);
        Assert.Equal(Of(b).SelfUniqueAddress, (await probe.Next<ClusterEvent.MemberUp>()).Member.UniqueAddress);
        await Of(b).LeaveAsync().WaitAsync(RemoteLab.Patience);
        await probe.Next<ClusterEvent.MemberLeft>();
        await probe.Next<ClusterEvent.MemberExited>();
        Assert.Equal(MemberStatus.Exiting, (await probe.Next<ClusterEvent.MemberRemoved>()).PreviousStatus);
    }

    [Fact]
    public async Task Who_is_told_to_leave_while_it_joins_leaves_once_it_has_joined()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.StartMember("a"), b = lab.StartMember("b");
        Of(a).Join(Of(a).SelfAddress);
        await Until(() => Of(a).IsUp);
        var probe = new Probe(a);
        Of(a).Subscribe(probe.Ref, typeof(ClusterEvent.MemberRemoved));

        Of(b).Join(Of(a).SelfAddress);
        await Of(b).LeaveAsync().WaitAsync(RemoteLab.Patience);

        Assert.Equal(Of(b).SelfUniqueAddress, (await probe.Next<ClusterEvent.MemberRemoved>()).Member.UniqueAddress);
    }

    [Fact]
    public async Task A_silent_member_is_unreachable_and_nothing_more_until_it_speaks_again()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        lab.TransportOf("c").WriteBehavior.PushConstant(true);

        await Until(() => Of(systems[0]).State.Unreachable.Count == 1 && Of(systems[1]).State.Unreachable.Count == 1);
        Assert.Equal(3, Of(systems[0]).State.Members.Count);
        lab.TransportOf("c").WriteBehavior.Pop();

        await Until(() => systems.All(system => Of(system).State.Unreachable.IsEmpty && Of(system).State.Members.Count == 3));
    }

    [Fact]
    public async Task While_one_cannot_be_reached_a_new_member_is_weakly_up_and_up_afterwards()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        lab.TransportOf("b").WriteBehavior.PushConstant(true);
        await Until(() => Of(systems[0]).State.Unreachable.Count == 1);

        ActorSystem c = lab.StartMember("c");
        Of(c).Join(RemoteLab.AddressOf("a"));
        await Until(() => Of(c).SelfMember.Status == MemberStatus.WeaklyUp);
        Assert.True(Of(c).IsUp);
        lab.TransportOf("b").WriteBehavior.Pop();

        await Until(() => Of(c).SelfMember.Status == MemberStatus.Up && Of(c).State.Members.Count == 3);
    }

    [Fact]
    public async Task A_member_that_is_given_up_learns_it_and_is_removed()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        var removed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Of(systems[2]).RegisterOnMemberRemoved(() => removed.TrySetResult());

        Of(systems[0]).Down(RemoteLab.AddressOf("c"));

        await removed.Task.WaitAsync(RemoteLab.Patience);
        await Until(() => Of(systems[0]).State.Members.Count == 2 && Of(systems[1]).State.Members.Count == 2);
        Assert.True(Of(systems[2]).IsTerminated);
    }

    [Fact]
    public async Task A_system_that_is_started_again_takes_the_place_of_its_earlier_life()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        UniqueAddress before = Of(systems[2]).SelfUniqueAddress;
        await lab.Kill(systems[2], "c");

        ActorSystem again = lab.StartMember("c");
        Of(again).Join(RemoteLab.AddressOf("a"));

        await Until(() => Of(again).SelfMember.Status == MemberStatus.Up);
        await Until(() => Of(systems[1]).State.Members.Count == 3 && Of(systems[1]).State.Members.All(member => member.UniqueAddress != before));
    }

    [Fact]
    public async Task The_first_seed_begins_a_cluster_only_when_no_other_seed_has_one()
    {
        await using var lab = new RemoteLab();
        ActorSystem b = lab.StartMember("b");
        Of(b).Join(Of(b).SelfAddress);
        await Until(() => Of(b).IsUp);
        ActorSystem a = lab.StartMember("a");

        await Of(a).JoinSeedNodesAsync([RemoteLab.AddressOf("a"), RemoteLab.AddressOf("b")]).WaitAsync(RemoteLab.Patience);

        Assert.Equal(2, Of(a).State.Members.Count);
    }

    [Fact]
    public async Task Terminating_leaves_in_good_order()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        var probe = new Probe(systems[0]);
        Of(systems[0]).Subscribe(probe.Ref, typeof(ClusterEvent.MemberRemoved));

        await systems[1].Terminate().WaitAsync(RemoteLab.Patience);

        Assert.Equal(MemberStatus.Exiting, (await probe.Next<ClusterEvent.MemberRemoved>()).PreviousStatus);
    }

    internal static Akka.Cluster.Cluster Of(ActorSystem system) => Akka.Cluster.Cluster.Get(system);

    internal static Task<ActorSystem[]> Form(RemoteLab lab, params string[] hosts) => FormWith(lab, string.Empty, hosts);

    internal static async Task<ActorSystem[]> FormWith(RemoteLab lab, string extra, params string[] hosts)
    {
        ActorSystem[] systems = [.. hosts.Select(host => lab.StartMember(host, extra))];
        foreach (ActorSystem system in systems)
        {
            Of(system).Join(Of(systems[0]).SelfAddress);
            await Until(() => Of(system).SelfMember.Status == MemberStatus.Up);
        }

        await Until(() => systems.All(system => Of(system).State.Members.Count == hosts.Length && Of(system).State.Members.All(member => member.Status == MemberStatus.Up)));
        return systems;
    }

    internal static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(RemoteLab.Patience);
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
