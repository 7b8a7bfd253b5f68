using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class DeathWatchTests : ActorTest
{
    [Fact]
    public void Every_watcher_is_told_exactly_once()
    {
        IActorRef subject = ActorOf(PuppetProps());
        IActorRef watcher = ActorOf(Props.Create(() => new Watcher(TestActor)));
        Watch(subject);
        watcher.Tell(new Watcher.Start(subject));
        watcher.Tell(new Watcher.Start(subject));
        Settle(watcher);
        Sys.Stop(subject);

        ExpectMsgAllOf<object>(new Terminated(subject, true, false), $"{subject.Path.Name} ended");
        Settle(watcher);
        watcher.Tell("nothing more before this");
        ExpectMsg("nothing more before this");
    }

    [Fact]
    public void Watching_an_actor_that_has_ended_reports_it()
    {
        IActorRef subject = ActorOf(PuppetProps());
        Watch(subject);
        Sys.Stop(subject);
        ExpectTerminated(subject);

        Akka.TestKit.TestProbe late = CreateTestProbe();
        late.Watch(subject);

        late.ExpectTerminated(subject, Limit);
    }

    [Fact]
    public async Task Watching_an_actor_that_never_was_reports_that_its_life_is_not_confirmed()
    {
        IActorRef gone = ((ExtendedActorSystem)Sys).Provider.ResolveActorRef("akka://test/user/nobody");
        await WatchAsync(gone);

        Assert.False((await ExpectTerminatedAsync(gone)).ExistenceConfirmed);
    }

    [Fact]
    public void The_last_message_is_handled_before_the_end_is_reported()
    {
        IActorRef subject = ActorOf(PuppetProps());
        Watch(subject);
        for (int i = 0; i < 100; i++)
            subject.Tell(i);
        subject.Tell(PoisonPill.Instance);

        Assert.Equal(Enumerable.Range(0, 100).Cast<object>(), ReceiveN(100));
        ExpectTerminated(subject);
    }

    [Fact]
    public void After_unwatch_nothing_comes_not_even_what_was_in_the_mailbox()
    {
        IActorRef subject = ActorOf(PuppetProps());
        IActorRef watcher = ActorOf(Props.Create(() => new Watcher(TestActor)));
        watcher.Tell(new Watcher.Start(subject));
        using var gate = new ManualResetEventSlim();

        // The end comes while the first runs, and so is in the mailbox behind the second.
        watcher.Tell(Run(_ => gate.Wait(Limit)));
        watcher.Tell(Run(context => context.Unwatch(subject)));
        Watch(subject);
        Sys.Stop(subject);
        ExpectTerminated(subject);
        gate.Set();
        Settle(watcher);
        watcher.Tell("nothing before this");

        ExpectMsg("nothing before this");
    }

    [Fact]
    public void After_unwatch_the_message_of_watch_with_does_not_come_either()
    {
        IActorRef subject = ActorOf(PuppetProps()), watcher = ActorOf(PuppetProps());
        watcher.Tell(Run(context => context.WatchWith(subject, "it is gone")));
        watcher.Tell(Run(context => context.Unwatch(subject)));
        Settle(watcher);
        Watch(subject);
        Sys.Stop(subject);
        ExpectTerminated(subject);
        watcher.Tell("nothing before this");

        ExpectMsg("nothing before this");
    }

    [Fact]
    public void A_watch_after_an_unwatch_counts()
    {
        IActorRef subject = ActorOf(PuppetProps()), watcher = ActorOf(Props.Create(() => new Watcher(TestActor)));
        watcher.Tell(new Watcher.Start(subject));
        watcher.Tell(Run(context => context.Unwatch(subject)));
        watcher.Tell(new Watcher.Start(subject));
        Settle(watcher);
        Sys.Stop(subject);

        ExpectMsg($"{subject.Path.Name} ended");
    }

    [Fact]
    public void An_actor_that_watches_itself_hears_nothing()
    {
        IActorRef actor = ActorOf(LivelyProps());
        ExpectMsg("started");
        actor.Tell(Run(context => context.Watch(context.Self)));
        Settle(actor);
        Sys.Stop(actor);

        ExpectMsg("stopped");
    }

    [Fact]
    public void Watch_with_delivers_the_given_message_instead()
    {
        IActorRef subject = ActorOf(PuppetProps());
        IActorRef watcher = ActorOf(PuppetProps());
        watcher.Tell(Run(context => context.WatchWith(subject, "it is gone")));
        Settle(watcher);
        Sys.Stop(subject);

        ExpectMsg("it is gone");
    }

    [Fact]
    public void Watching_again_with_another_message_is_refused()
    {
        IActorRef subject = ActorOf(PuppetProps());
        IActorRef watcher = ActorOf(PuppetProps());

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => watcher.Tell(Run(context =>
        {
            context.Watch(subject);
            context.WatchWith(subject, "other");
        })));
    }

    [Fact]
    public void An_end_that_is_not_handled_is_a_death_pact()
    {
        IActorRef subject = ActorOf(PuppetProps());
        IActorRef partner = ActorOf(Props.Create(() => new Partner(subject)));
        Watch(partner);
        Settle(partner);

        EventFilter.Exception<DeathPactException>().ExpectOne(() => Sys.Stop(subject));
        ExpectTerminated(partner);
    }

    [Fact]
    public void A_restart_is_no_end_and_the_watch_survives_the_restart_of_the_subject()
    {
        IActorRef subject = ActorOf(PuppetProps());
        Watch(subject);
        subject.Tell(new Broken());
        Settle(subject);
        Sys.Stop(subject);

        ExpectTerminated(subject);
        Assert.False(HasMessages);
    }

    [Fact]
    public void A_new_actor_of_the_same_name_does_not_count_as_the_one_that_was_watched()
    {
        IActorRef first = ActorOf(PuppetProps(), "name");
        Watch(first);
        Sys.Stop(first);
        ExpectTerminated(first);

        // the name is free when the parent, here the guardian, has heard of the end, and it may hear of it after this watcher
        IActorRef second = ActorRefs.Nobody;
        AwaitAssert(() => second = ActorOf(PuppetProps(), "name"));

        Assert.NotEqual(first, second);
        first.Tell("lost");
        second.Tell("found");
        ExpectMsg("found");
    }

    private sealed class Watcher(IActorRef report) : Puppet(report)
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case Start start:
                    Context.Watch(start.Subject);
                    break;
                case Terminated terminated:
                    Report.Tell($"{terminated.ActorRef.Path.Name} ended");
                    break;
                default:
                    base.OnReceive(message);
                    break;
            }
        }

        public sealed record Start(IActorRef Subject);
    }

    private sealed class Partner : ReceiveActor
    {
        public Partner(IActorRef subject)
        {
            Context.Watch(subject);
            Receive<string>(_ => Sender.Tell(Self));
        }
    }
}
