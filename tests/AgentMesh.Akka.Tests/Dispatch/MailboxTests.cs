using AgentMesh.EngineTests.Actor;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace AgentMesh.EngineTests.Dispatch;

public sealed class MailboxTests() : ActorTest("""
    narrow { mailbox-type = "Akka.Dispatch.BoundedMailbox, AgentMesh.Akka", mailbox-capacity = 3, mailbox-push-timeout-time = 0s }
    patient { mailbox-type = "Akka.Dispatch.BoundedMailbox, AgentMesh.Akka", mailbox-capacity = 1, mailbox-push-timeout-time = 20s }
    ranked { mailbox-type = "AgentMesh.EngineTests.Dispatch.MailboxTests+Ranked, AgentMesh.Akka.Tests" }
    stable { mailbox-type = "AgentMesh.EngineTests.Dispatch.MailboxTests+StablyRanked, AgentMesh.Akka.Tests" }
    """)
{
    [Fact]
    public void A_full_mailbox_makes_dead_letters_of_what_comes_more()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        IActorRef busy = Busy("narrow", out ManualResetEventSlim go);
        for (int i = 1; i <= 5; i++)
            busy.Tell(i);

        Assert.Equal(4, ExpectMsg<DeadLetter>().Message);
        Assert.Equal(5, ExpectMsg<DeadLetter>().Message);
        go.Set();
        Assert.Equal([1, 2, 3], Numbers(3));
    }

    [Fact]
    public async Task A_sender_waits_for_room_as_long_as_the_mailbox_says()
    {
        IActorRef busy = Busy("patient", out ManualResetEventSlim go);
        busy.Tell(1);
        Task second = Task.Run(() => busy.Tell(2));
        Assert.False(second.Wait(50));

        go.Set();
        await second.WaitAsync(Limit);
        Assert.Equal([1, 2], Numbers(2));
    }

    [Fact]
    public void A_priority_mailbox_gives_the_lowest_rank_first()
    {
        IActorRef busy = Busy("ranked", out ManualResetEventSlim go);
        foreach (int number in new[] { 5, 3, 9, 1, 7, 2 })
            busy.Tell(number);

        go.Set();
        Assert.Equal([1, 2, 3, 5, 7, 9], Numbers(6));
    }

    [Fact]
    public void A_stable_priority_mailbox_keeps_the_order_of_equal_ranks()
    {
        IActorRef busy = Busy("stable", out ManualResetEventSlim go);
        int[] sent = [.. Enumerable.Range(0, 60).Select(i => (i * 7) % 60)];
        foreach (int number in sent)
            busy.Tell(number);

        go.Set();
        Assert.Equal(sent.OrderBy(number => number % 3), Numbers(60));
    }

    /// <summary>An actor in the middle of a message, which lasts until <paramref name="go"/> is set; then it reports its numbers.</summary>
    private IActorRef Busy(string mailbox, out ManualResetEventSlim go)
    {
        ManualResetEventSlim gate = go = new ManualResetEventSlim();
        IActorRef test = TestActor;
        IActorRef busy = Sys.ActorOf(Props.Create(() => new Reporter(test, gate)).WithMailbox(mailbox));
        busy.Tell("wait");
        ExpectMsg("waiting");
        return busy;
    }

    private int[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => ExpectMsg<int>())];

    private sealed class Reporter : ReceiveActor
    {
        public Reporter(IActorRef to, ManualResetEventSlim go)
        {
            Receive<string>(_ =>
            {
                to.Tell("waiting");
                go.Wait(Limit);
            });
            Receive<int>(number => to.Tell(number));
        }
    }

    public sealed class Ranked(Akka.Actor.Settings settings, Config config) : UnboundedPriorityMailbox(settings, config)
    {
        protected override int PriorityGenerator(object message) => message as int? ?? 0;
    }

    public sealed class StablyRanked(Akka.Actor.Settings settings, Config config) : UnboundedStablePriorityMailbox(settings, config)
    {
        protected override int PriorityGenerator(object message) => (message as int? ?? 0) % 3;
    }
}
