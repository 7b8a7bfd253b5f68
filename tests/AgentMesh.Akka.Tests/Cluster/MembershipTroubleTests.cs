using AgentMesh.Engine;
using AgentMesh.EngineTests.Remote;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Membership;
using Akka.Remote.Transport;
using static AgentMesh.EngineTests.Cluster.MembershipTests;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Members that are cut off, stopped, started again or sent away.</summary>
public sealed class MembershipTroubleTests
{
    [Fact]
    public async Task Two_members_that_lose_each_other_both_see_it()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        lab.TransportOf("b").WriteBehavior.PushConstant(true);

        // What a sends still arrives: b learns that a cannot reach it either.
        await Until(() => systems.All(system => Of(system).State.Unreachable.Count == 1));
        lab.TransportOf("b").WriteBehavior.Pop();

        await Until(() => systems.All(system => Of(system).State.Unreachable.IsEmpty));
    }

    [Fact]
    public async Task A_system_that_is_started_again_is_let_in_while_another_member_is_silent()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        lab.TransportOf("a").WriteBehavior.PushConstant(true);
        await lab.Kill(systems[2], "c");

        ActorSystem again = lab.StartMember("c");
        Of(again).Join(RemoteLab.AddressOf("b"));

        await Until(() => Of(again).SelfMember.Status == MemberStatus.WeaklyUp);
        Assert.Equal(3, Of(systems[1]).State.Members.Count);
        Assert.Contains(Of(systems[1]).State.Members, member => member.Address == RemoteLab.AddressOf("a") && member.Status == MemberStatus.Up);
        lab.TransportOf("a").WriteBehavior.Pop();

        await Until(() => new[] { systems[0], systems[1], again }.All(system => Of(system).State.Members.Count == 3 && Of(system).State.Members.All(member => member.Status == MemberStatus.Up)));
    }

    [Fact]
    public async Task An_earlier_incarnation_is_removed_before_the_next_one_joins()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        var near = new Probe(systems[0]);
        var far = new Probe(systems[1]);
        Of(systems[0]).Subscribe(near.Ref, typeof(ClusterEvent.IMemberEvent));
        Of(systems[1]).Subscribe(far.Ref, typeof(ClusterEvent.IMemberEvent));
        await near.Next<ClusterEvent.CurrentClusterState>();
        await far.Next<ClusterEvent.CurrentClusterState>();
        UniqueAddress before = Of(systems[2]).SelfUniqueAddress;
        await lab.Kill(systems[2], "c");

        ActorSystem again = lab.StartMember("c");
        Of(again).Join(RemoteLab.AddressOf("a"));

        Assert.IsType<ClusterEvent.MemberDowned>(await near.Next<ClusterEvent.IMemberEvent>());
        foreach (Probe probe in new[] { near, far })
        {
            Assert.Equal(before, (await probe.Next<ClusterEvent.MemberRemoved>()).Member.UniqueAddress);
            Assert.Equal(Of(again).SelfUniqueAddress, (await probe.Next<ClusterEvent.IMemberEvent>()).Member.UniqueAddress);
        }
    }

    [Fact]
    public async Task A_member_removes_another_life_at_its_own_address()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        UniqueAddress a = Of(systems[0]).SelfUniqueAddress, b = Of(systems[1]).SelfUniqueAddress;
        var past = new UniqueAddress(a.Address, a.Uid + 1);
        var near = new Probe(systems[0]);
        Of(systems[0]).Subscribe(near.Ref, typeof(ClusterEvent.MemberRemoved));
        await near.Next<ClusterEvent.CurrentClusterState>();

        // As b would say that has let it in when it had not heard of the other.
        Gossip said = Gossip.Empty with { Members = [.. Of(systems[0]).State.Members, new Member(past, 9, MemberStatus.Up, [])] };
        said = Enumerable.Range(0, 100).Aggregate(said, (gossip, _) => gossip.ChangedBy(b));
        systems[0].ActorSelection("/system/cluster").Tell(new GossipEnvelope(b, a, said));

        Assert.Equal(past, (await near.Next<ClusterEvent.MemberRemoved>()).Member.UniqueAddress);
        await Until(() => systems.All(system => Of(system).State.Members.Select(member => member.UniqueAddress).ToHashSet().SetEquals([a, b])));
    }

    [Fact]
    public async Task The_oldest_that_stops_does_not_keep_new_members_out()
    {
        await using var lab = new RemoteLab();
        const string Unsuspecting = "akka.cluster { failure-detector.acceptable-heartbeat-pause = 1h, allow-weakly-up-members = 50ms }";
        ActorSystem b = (await FormWith(lab, Unsuspecting, "a", "b"))[1];

        // The founder leads, and nobody knows yet that it has stopped.
        lab.TransportOf("a").WriteBehavior.PushConstant(true);
        ActorSystem c = lab.StartMember("c", Unsuspecting);
        Of(c).Join(RemoteLab.AddressOf("b"));

        await Until(() => Of(c).IsUp);
        Assert.Empty(Of(b).State.Unreachable);
        lab.TransportOf("a").WriteBehavior.Pop();
    }

    [Fact]
    public async Task A_member_that_downs_itself_tells_the_others()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        var probe = new Probe(systems[0]);
        Of(systems[0]).Subscribe(probe.Ref, typeof(ClusterEvent.IClusterDomainEvent));

        Of(systems[2]).Down(RemoteLab.AddressOf("c"));

        Assert.Equal(RemoteLab.AddressOf("c"), (await probe.Next<ClusterEvent.MemberDowned>()).Member.Address);
        Assert.Equal(MemberStatus.Down, (await probe.Next<ClusterEvent.MemberRemoved>()).PreviousStatus);
        await Until(() => Of(systems[2]).IsTerminated);
        Assert.Equal(MemberStatus.Removed, Of(systems[2]).SelfMember.Status);
    }

    [Fact]
    public async Task A_member_whose_removal_was_not_heard_learns_of_it_when_it_speaks()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await FormWith(lab, "akka.cluster.failure-detector.acceptable-heartbeat-pause = 1h", "a", "b", "c");
        foreach (TestTransport transport in new[] { lab.TransportOf("a"), lab.TransportOf("b") })
            transport.WriteBehavior.Push(write => write.Item1.RemoteAddress.Host == "c" ? Task.FromResult(true) : transport.WriteBehavior.DefaultBehavior(write));

        Of(systems[0]).Down(RemoteLab.AddressOf("c"));
        await Until(() => Of(systems[0]).State.Members.Count == 2);
        Assert.False(Of(systems[2]).IsTerminated);
        lab.TransportOf("a").WriteBehavior.Pop();
        lab.TransportOf("b").WriteBehavior.Pop();

        await Until(() => Of(systems[2]).IsTerminated);
        Assert.Equal(2, Of(systems[0]).State.Members.Count);
    }

    [Fact]
    public async Task A_member_that_ends_while_another_is_silent_does_not_wait_for_it()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");
        lab.TransportOf("c").WriteBehavior.PushConstant(true);
        await Until(() => Of(systems[0]).State.Unreachable.Count == 1 && Of(systems[1]).State.Unreachable.Count == 1);
        var probe = new Probe(systems[0]);
        Of(systems[0]).Subscribe(probe.Ref, typeof(ClusterEvent.MemberDowned));

        await systems[1].Terminate().WaitAsync(RemoteLab.Patience);

        Assert.Equal(RemoteLab.AddressOf("b"), (await probe.Next<ClusterEvent.MemberDowned>()).Member.Address);
        lab.TransportOf("c").WriteBehavior.Pop();
        await Until(() => Of(systems[0]).State.Members.Count == 2 && Of(systems[2]).State.Members.Count == 2);
    }

    [Fact]
    public async Task All_may_leave_at_the_same_time()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b", "c");

        await Task.WhenAll(systems.Select(system => system.Terminate())).WaitAsync(RemoteLab.Patience);

        Assert.All(systems, system => Assert.True(Of(system).IsTerminated));
    }

    [Fact]
    public async Task Leaving_ends_the_actor_system()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");

        Of(systems[0]).Leave(RemoteLab.AddressOf("b"));

        await systems[1].WhenTerminated.WaitAsync(RemoteLab.Patience);
        await Until(() => Of(systems[0]).State.Members.Count == 1);
    }

    [Fact]
    public async Task A_member_that_leaves_stays_until_it_has_handed_over()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        var handedOver = new TaskCompletionSource();
        CoordinatedShutdown.Get(systems[1]).AddTask(CoordinatedShutdown.PhaseClusterExiting, "hand-over", async () =>
        {
            await handedOver.Task;
            return Akka.Done.Instance;
        });
        var probe = new Probe(systems[0]);
        Of(systems[0]).Subscribe(probe.Ref, typeof(ClusterEvent.IMemberEvent));

        Of(systems[1]).Leave(RemoteLab.AddressOf("b"));
        await probe.Next<ClusterEvent.MemberExited>();
        Of(systems[0]).SendCurrentClusterState(probe.Ref);
        Assert.Equal(2, (await probe.Next<ClusterEvent.CurrentClusterState>()).Members.Count);
        handedOver.SetResult();

        Assert.Equal(MemberStatus.Exiting, (await probe.Next<ClusterEvent.MemberRemoved>()).PreviousStatus);
    }

    [Fact]
    public async Task A_process_that_stood_still_does_not_call_the_others_unreachable()
    {
        await using var lab = new RemoteLab();
        var clock = new LeapingClock();
        ActorSystem a = lab.StartMember("a"), b = lab.StartMember("b", "", new EngineSetup(clock, new Random(1)));
        Of(a).Join(RemoteLab.AddressOf("a"));
        Of(b).Join(RemoteLab.AddressOf("a"));
        await Until(() => Of(b).SelfMember.Status == MemberStatus.Up && Of(b).FailureDetector.IsMonitoring(RemoteLab.AddressOf("a")));
        var probe = new Probe(b);
        Of(b).Subscribe(probe.Ref, typeof(ClusterEvent.UnreachableMember), typeof(ClusterEvent.MemberUp));
        await probe.Next<ClusterEvent.CurrentClusterState>();

        clock.Leap(TimeSpan.FromMinutes(1));
        ActorSystem c = lab.StartMember("c");
        Of(c).Join(RemoteLab.AddressOf("a"));

        Assert.IsType<ClusterEvent.MemberUp>(await probe.Next<ClusterEvent.IClusterDomainEvent>());
    }

    [Fact]
    public async Task A_member_that_joins_while_all_agree_is_never_weakly_up()
    {
        await using var lab = new RemoteLab();
        const string Patient = "akka.cluster.allow-weakly-up-members = 1h\n";
        ActorSystem a = lab.StartMember("a", Patient), b = lab.StartMember("b", Patient);
        var probe = new Probe(a);
        Of(a).Subscribe(probe.Ref, typeof(ClusterEvent.IMemberEvent));
        await probe.Next<ClusterEvent.CurrentClusterState>();

        Of(a).Join(RemoteLab.AddressOf("a"));
        Of(b).Join(RemoteLab.AddressOf("a"));

        foreach (Type expected in new[] { typeof(ClusterEvent.MemberJoined), typeof(ClusterEvent.MemberUp), typeof(ClusterEvent.MemberJoined), typeof(ClusterEvent.MemberUp) })
            Assert.IsType(expected, await probe.Next<ClusterEvent.IMemberEvent>());
    }

    [Fact]
    public async Task Members_with_a_role_are_waited_for_and_led()
    {
        await using var lab = new RemoteLab();
        const string TwoWorkers = "akka.cluster { role.worker.min-nr-of-members = 2, roles = [\"worker\"] }\n";
        ActorSystem a = lab.StartMember("a", "akka.cluster.role.worker.min-nr-of-members = 2\n");
        Of(a).Join(RemoteLab.AddressOf("a"));
        ActorSystem b = lab.StartMember("b", TwoWorkers);
        Of(b).Join(RemoteLab.AddressOf("a"));
        await Until(() => Of(a).State.Members.Count == 2 && Of(a).State.SeenBy.Count == 2);
        Assert.False(Of(a).IsUp);

        ActorSystem c = lab.StartMember("c", TwoWorkers);
        await Of(c).JoinAsync(RemoteLab.AddressOf("a")).WaitAsync(RemoteLab.Patience);

        await Until(() => Of(a).State.Members.All(member => member.Status == MemberStatus.Up));
        Assert.Equal(RemoteLab.AddressOf("b"), Of(a).State.RoleLeader("worker"));
        Assert.True(Of(b).SelfMember.HasRole("worker"));
        Assert.Equal(["worker"], Of(b).SelfRoles);
    }

    [Fact]
    public async Task Initial_state_can_come_as_events()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        var probe = new Probe(systems[0]);

        Of(systems[0]).Subscribe(probe.Ref, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.LeaderChanged));

        Assert.Equal(RemoteLab.AddressOf("a"), (await probe.Next<ClusterEvent.MemberUp>()).Member.Address);
        Assert.Equal(RemoteLab.AddressOf("b"), (await probe.Next<ClusterEvent.MemberUp>()).Member.Address);
        Assert.Equal(RemoteLab.AddressOf("a"), (await probe.Next<ClusterEvent.LeaderChanged>()).Leader);
        Assert.Throws<ArgumentException>(() => Of(systems[0]).Subscribe(probe.Ref, typeof(string)));
    }

    [Fact]
    public async Task A_callback_that_fails_does_not_end_membership()
    {
        await using var lab = new RemoteLab();
        ActorSystem a = lab.StartMember("a");
        Of(a).RegisterOnMemberUp(() => throw new InvalidOperationException("on purpose"));
        await Of(a).JoinAsync(RemoteLab.AddressOf("a")).WaitAsync(RemoteLab.Patience);
        ActorSystem b = lab.StartMember("b");

        await Of(b).JoinAsync(RemoteLab.AddressOf("a")).WaitAsync(RemoteLab.Patience);

        Assert.False(Of(a).IsTerminated);
    }

    [Fact]
    public async Task A_system_of_another_name_may_not_join()
    {
        await using var lab = new RemoteLab();
        ActorSystem[] systems = await Form(lab, "a", "b");
        var stranger = new UniqueAddress(new Address("akka.test", "other", "c", 1), 7);
        var impostor = new UniqueAddress(RemoteLab.AddressOf("a"), 8);
        ActorSelection core = systems[1].ActorSelection(new RootActorPath(RemoteLab.AddressOf("a")) / "system" / ClusterCore.ActorName);

        core.Tell(new JoinRequest(stranger, []));
        core.Tell(new JoinRequest(impostor, []));
        ActorSystem c = lab.StartMember("c");
        await Of(c).JoinAsync(RemoteLab.AddressOf("a")).WaitAsync(RemoteLab.Patience);

        Assert.Equal(3, Of(systems[0]).State.Members.Count);
        Assert.False(Of(systems[0]).IsTerminated);
    }

    [Fact]
    public async Task A_system_that_no_seed_lets_in_ends_when_so_configured()
    {
        await using var lab = new RemoteLab();
        ActorSystem b = lab.StartMember("b", "akka.cluster { seed-nodes = [\"akka.test://lab@nobody:1\"], shutdown-after-unsuccessful-join-seed-nodes = 300ms }\n");
        var removed = new TaskCompletionSource();
        Of(b).RegisterOnMemberRemoved(() => removed.TrySetResult());

        await b.WhenTerminated.WaitAsync(RemoteLab.Patience);

        Assert.True(removed.Task.IsCompletedSuccessfully);
        Assert.IsType<CoordinatedShutdown.ClusterJoinUnsuccessfulReason>(CoordinatedShutdown.Get(b).ShutdownReason);
        await Assert.ThrowsAsync<ClusterJoinFailedException>(() => Of(b).JoinAsync(RemoteLab.AddressOf("b")));
    }

    /// <summary>The time of day, which can leap as it does for a process that was stopped.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _leapt;

        public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _leapt);

        public override long TimestampFrequency => System.TimestampFrequency;

        public void Leap(TimeSpan by) => Interlocked.Add(ref _leapt, (long)(by.TotalSeconds * TimestampFrequency));
    }
}
