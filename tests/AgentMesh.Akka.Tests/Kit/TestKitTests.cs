using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.TestActors;
using Xunit.Sdk;

namespace AgentMesh.EngineTests.Kit;

public sealed class TestKitTests : Akka.TestKit.Xunit2.TestKit
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    public TestKitTests()
        : base("akka.stdout-loglevel = OFF")
    {
    }

    [Fact]
    public void The_test_actor_is_the_sender_of_what_a_test_sends()
    {
        Sys.ActorOf(SimpleEchoActor.Props()).Tell("hello");

        ExpectMsg("hello", Long);
        Assert.Equal("hello", LastMessage);
    }

    [Fact]
    public async Task The_test_actor_stays_the_sender_after_an_await()
    {
        IActorRef echo = Sys.ActorOf(SimpleEchoActor.Props());
        await Task.Delay(1);
        echo.Tell("one");
        await ExpectMsgAsync("one", Long);
        await Task.Yield();
        echo.Tell("two");
        await ExpectMsgAsync("two", Long);
    }

    [Fact]
    public void A_message_of_another_type_fails_the_expectation()
    {
        TestActor.Tell("text");

        Assert.Contains("text", Assert.ThrowsAny<XunitException>(() => ExpectMsg<int>(Long)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Silence_fails_the_expectation_of_a_message_and_a_message_that_of_silence()
    {
        Assert.ThrowsAny<XunitException>(() => ExpectMsg<int>(Short));
        ExpectNoMsg(Short);
        TestActor.Tell(1);
        Assert.ThrowsAny<XunitException>(() => ExpectNoMsg(Long));
    }

    [Fact]
    public void A_probe_sends_replies_and_forwards()
    {
        TestProbe one = CreateTestProbe(), two = CreateTestProbe("other");

        one.Send(two, "question");
        two.ExpectMsg("question", Long);
        Assert.Equal(one.Ref, two.Sender);
        two.Reply("answer");
        one.ExpectMsgFrom(two.Ref, "answer", Long);
        one.Forward(TestActor);
        ExpectMsgFrom(two, "answer", Long);
    }

    [Fact]
    public void A_watching_probe_expects_the_end_of_an_actor()
    {
        IActorRef actor = Sys.ActorOf(BlackHoleActor.Props);
        TestProbe probe = CreateTestProbe();
        probe.Watch(actor);

        Sys.Stop(actor);

        probe.ExpectTerminated(actor, Long);
    }

    [Fact]
    public void Messages_are_expected_in_any_order_and_none_may_be_missing_or_left_over()
    {
        foreach (int number in (int[])[3, 1, 2])
            TestActor.Tell(number);
        ExpectMsgAllOf(Long, 1, 2, 3);

        foreach (int number in (int[])[1, 2])
            TestActor.Tell(number);
        Assert.ThrowsAny<XunitException>(() => ExpectMsgAllOf(Long, 1, 3));
    }

    [Fact]
    public void Receive_while_leaves_the_message_that_does_not_fit()
    {
        foreach (object message in (object[])["a", "b", 3])
            TestActor.Tell(message);

        Assert.Equal(["a", "b"], ReceiveWhile(Long, message => message as string));
        Assert.Equal(3, ExpectMsg<int>(Long));
    }

    [Fact]
    public void Fishing_drops_what_comes_before()
    {
        foreach (object message in (object[])["a", 2, "c"])
            TestActor.Tell(message);

        Assert.Equal("c", FishForMessage<string>(text => text == "c", Long));
    }

    [Fact]
    public void Within_fails_when_the_action_takes_too_long_or_too_short()
    {
        Assert.ThrowsAny<XunitException>(() => Within(Short, () => Thread.Sleep(Short * 2)));
        Assert.ThrowsAny<XunitException>(() => Within(Short, Long, () => { }));
        Assert.True(Within(Long, () => Remaining <= Long));
    }

    [Fact]
    public void An_event_filter_counts_what_is_logged_while_the_action_runs()
    {
        EventFilter.Warning("care").ExpectOne(() => Log.Warning("care"));
        EventFilter.Exception<InvalidOperationException>(contains: "broken").Expect(2, () =>
        {
            Log.Error(new InvalidOperationException("it is broken"), "first");
            Log.Error(new InvalidOperationException("it is broken"), "second");
        });
        Assert.ThrowsAny<XunitException>(() => EventFilter.Info("nothing").ExpectOne(Short, () => Log.Info("something")));
        Assert.ThrowsAny<XunitException>(() => EventFilter.Info("once").Expect(0, Long, () => Log.Info("once")));
    }

    [Fact]
    public async Task An_event_filter_sees_dead_letters() =>
        await EventFilter.DeadLetter<string>(text => text == "lost").ExpectOneAsync(() => Sys.DeadLetters.Tell("lost"));

    [Fact]
    public void An_auto_pilot_runs_before_the_test_sees_the_message()
    {
        TestProbe probe = CreateTestProbe();
        probe.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            sender.Tell($"seen {message}");
            return (string)message == "last" ? AutoPilot.NoAutoPilot : AutoPilot.KeepRunning;
        }));

        foreach (string message in (string[])["first", "last", "after"])
            probe.Ref.Tell(message, TestActor);

        Assert.Equal(["first", "last", "after"], probe.ReceiveN(3, Long));
        Assert.Equal(["seen first", "seen last"], ReceiveN(2, Long));
    }

    [Fact]
    public void Ignored_messages_do_not_reach_the_test()
    {
        IgnoreMessages<int>();
        TestActor.Tell(1);
        TestActor.Tell("two");

        ExpectMsg("two", Long);
    }

    [Fact]
    public void Await_assert_repeats_until_it_holds_and_passes_the_last_failure_on()
    {
        int times = 0;
        AwaitAssert(() => Assert.True(++times == 3), Long, Short);
        Assert.ThrowsAny<XunitException>(() => AwaitAssert(() => Assert.Fail("never"), Short));
        Assert.ThrowsAny<XunitException>(() => AwaitCondition(() => false, Short));
    }
}
