using Akka.Actor;
using Akka.Event;

namespace AgentMesh.EngineTests.Actor;

public sealed class DeadLetterTests : ActorTest
{
    public DeadLetterTests()
        : base("akka { log-dead-letters = 3, log-dead-letters-suspend-duration = infinite, loglevel = INFO }")
    {
    }

    [Fact]
    public void A_message_to_an_actor_that_has_ended_is_published_with_sender_and_recipient()
    {
        IActorRef gone = Ended();
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        gone.Tell("lost", TestActor);

        var letter = ExpectMsg<DeadLetter>();
        Assert.Equal(("lost", TestActor, gone), (letter.Message, letter.Sender, letter.Recipient));
    }

    [Fact]
    public void A_message_to_a_path_where_nobody_was_is_published()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        Sys.ActorSelection("/user/nobody").Tell("lost");

        Assert.Equal("lost", ExpectMsg<DeadLetter>().Message);
    }

    [Fact]
    public void A_message_that_asks_for_it_is_published_as_suppressed_only()
    {
        IActorRef gone = Ended();
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        gone.Tell(new Unimportant());
        gone.Tell("mark");
        Assert.Equal("mark", ExpectMsg<DeadLetter>().Message);

        Sys.EventStream.Subscribe(TestActor, typeof(AllDeadLetters));
        gone.Tell(new Unimportant());
        Assert.IsType<Unimportant>(ExpectMsg<SuppressedDeadLetter>().Message);
    }

    [Fact]
    public void So_many_are_logged_as_the_settings_say_and_no_more()
    {
        IActorRef gone = Ended();
        Akka.TestKit.TestProbe log = CreateTestProbe();
        Sys.EventStream.Subscribe(log.Ref, typeof(Info));
        for (int i = 0; i < 10; i++)
            gone.Tell(i);
        for (int i = 1; i <= 3; i++)
            Assert.Contains($"{i} dead letters so far", log.ExpectMsg<Info>(Limit).Message.ToString(), StringComparison.Ordinal);

        // The tenth has been looked at when this comes: the listener gets both over the same stream.
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        gone.Tell("mark");
        ExpectMsg<DeadLetter>();
        Sys.EventStream.Publish(new Info("test", typeof(DeadLetterTests), "mark"));
        Assert.Equal("mark", log.ExpectMsg<Info>(Limit).Message);
    }

    private IActorRef Ended()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        Sys.Stop(actor);
        ExpectTerminated(actor);
        return actor;
    }

    private sealed class Unimportant : IDeadLetterSuppression;
}
