using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class StopTests : ActorTest
{
    [Fact]
    public void Stop_ends_the_actor_after_the_message_at_hand_and_the_rest_become_dead_letters()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        using var works = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(_ =>
        {
            works.Set();
            gate.Wait(Limit);
            TestActor.Tell("at hand");
        }));
        Assert.True(works.Wait(Limit));
        EventFilter.DeadLetter<string>().Expect(2, () =>
        {
            actor.Tell("too late 1");
            actor.Tell("too late 2");
            ((IInternalActorRef)actor).Stop();
            gate.Set();
            ExpectMsg("at hand");
            ExpectTerminated(actor);
        });
    }

    [Fact]
    public void Poison_is_taken_in_its_turn()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(_ => gate.Wait(Limit)));
        actor.Tell("before");
        actor.Tell(PoisonPill.Instance);

        EventFilter.DeadLetter<string>(text => text == "behind").ExpectOne(() =>
        {
            actor.Tell("behind");
            gate.Set();
            ExpectMsg("before");
            ExpectTerminated(actor);
        });
    }

    [Fact]
    public void Kill_fails_the_actor_in_its_turn_and_by_default_its_supervisor_stops_it()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(_ => gate.Wait(Limit)));
        actor.Tell("before");
        actor.Tell(Kill.Instance);

        EventFilter.Exception<ActorKilledException>().ExpectOne(() => gate.Set());
        ExpectMsg("before");
        ExpectTerminated(actor);
    }

    [Fact]
    public void A_supervisor_may_restart_what_was_killed()
    {
        IActorRef actor = ChildActorOf(LivelyProps(), new OneForOneStrategy(_ => Directive.Restart));
        ExpectMsg("started");
        actor.Tell(Kill.Instance);

        ExpectMsg("restarting after Kill");
    }

    [Fact]
    public void The_children_have_ended_before_PostStop_of_their_parent()
    {
        IActorRef parent = ActorOf(LivelyProps());
        ExpectMsg("started");
        IActorRef child = Child(parent, Props.Create(() => new SlowEnd(TestActor)), "child");
        Settle(child);
        Watch(parent);
        Sys.Stop(parent);

        ExpectMsg("child ended");
        ExpectMsg("stopped");
        ExpectTerminated(parent);
    }

    [Fact]
    public void A_name_is_taken_until_the_actor_has_ended_and_free_when_its_end_is_reported()
    {
        IActorRef parent = ActorOf(PuppetProps());
        using var ending = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        IActorRef child = Child(parent, Props.Create(() => new HeldEnd(ending, gate)), "name");
        parent.Tell(Run(context =>
        {
            context.Watch(child);
            context.Stop(child);
        }));
        Assert.True(ending.Wait(Limit));
        parent.Tell(Run(context => TestActor.Tell(Assert.Throws<InvalidActorNameException>(() => context.ActorOf(PuppetProps(), "name")).Message)));
        Assert.Contains("not unique", ExpectMsg<string>(), StringComparison.Ordinal);
        gate.Set();
        ExpectMsg(new Puppet.Ended(child));

        Assert.NotEqual(child, Child(parent, PuppetProps(), "name"));
    }

    [Fact]
    public async Task A_graceful_stop_waits_for_the_end_and_gives_up_in_time()
    {
        using var ending = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        IActorRef held = ActorOf(Props.Create(() => new HeldEnd(ending, gate)));
        await Assert.ThrowsAsync<TaskCanceledException>(() => held.GracefulStop(TimeSpan.FromMilliseconds(50)));
        gate.Set();

        Assert.True(await ActorOf(PuppetProps()).GracefulStop(Limit));
    }

    [Fact]
    public void An_actor_can_stop_itself_and_handles_nothing_more()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(context =>
        {
            gate.Wait(Limit);
            context.Stop(context.Self);
            TestActor.Tell("last words");
        }));
        actor.Tell("behind");
        gate.Set();

        ExpectMsg("last words");
        ExpectTerminated(actor);
    }

    private sealed class SlowEnd(IActorRef report) : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(Self);

        protected override void PostStop()
        {
            Thread.Sleep(50);
            report.Tell("child ended");
        }
    }

    private sealed class HeldEnd(ManualResetEventSlim ending, ManualResetEventSlim gate) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }

        protected override void PostStop()
        {
            ending.Set();
            gate.Wait(Limit);
        }
    }
}
