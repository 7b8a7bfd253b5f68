using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class AsyncHandlerTests : ActorTest
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public void The_next_message_waits_until_the_handler_has_ended()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        Send(actor, "wait", 1, 2);
        ExpectMsg("begins");
        Assert.Throws<AggregateException>(() => actor.Ask<int>(0, TimeSpan.FromMilliseconds(50)).Result);
        Assert.False(HasMessages);
        _gate.SetResult();

        Assert.Equal(["ends", 1, 2, 0], ReceiveN(4));
    }

    [Fact]
    public void Sender_and_Self_are_the_same_after_an_await()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        asker.Send(actor, "who");
        asker.Send(actor, "noise");
        _gate.SetResult();

        asker.ExpectMsgFrom(actor, "you are " + asker.Ref.Path.Name, Limit);
    }

    [Fact]
    public void A_failure_after_an_await_goes_to_the_supervisor()
    {
        IActorRef actor = ChildActorOf(Props.Create(() => new Async(TestActor, _gate.Task)), SupervisorStrategy.StoppingStrategy);
        Watch(actor);
        actor.Tell("fail");

        EventFilter.Exception<Broken>("after the await").ExpectOne(() => _gate.SetResult());
        ExpectTerminated(actor);
    }

    [Fact]
    public void A_failure_before_the_first_await_goes_to_the_supervisor_too()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));

        EventFilter.Exception<Broken>("at once").ExpectOne(() => actor.Tell("fail at once"));
    }

    [Fact]
    public void After_a_failed_handler_and_the_restart_the_next_message_is_handled()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        Send(actor, "fail", 1);
        _gate.SetResult();

        ExpectMsg(1);
    }

    [Fact]
    public void An_actor_can_be_stopped_while_its_handler_awaits()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        Watch(actor);
        actor.Tell("wait");
        ExpectMsg("begins");
        Sys.Stop(actor);

        ExpectTerminated(actor);
    }

    [Fact]
    public void Poison_waits_until_the_handler_has_ended()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        Watch(actor);
        Send(actor, "wait", PoisonPill.Instance);
        ExpectMsg("begins");
        _gate.SetResult();

        ExpectMsg("ends");
        ExpectTerminated(actor);
    }

    [Fact]
    public void The_end_of_a_handler_of_an_earlier_instance_changes_nothing()
    {
        IActorRef actor = ActorOf(Props.Create(() => new Async(TestActor, _gate.Task)));
        actor.Tell("wait");
        ExpectMsg("begins");
        ((IInternalActorRef)actor).Suspend();
        ((IInternalActorRef)actor).Restart(new Broken());
        var second = new TaskCompletionSource();
        actor.Tell(second.Task);
        actor.Tell(1);
        ExpectMsg("awaits another");
        _gate.SetResult();
        ExpectMsg("ends");

        Assert.Throws<AggregateException>(() => actor.Ask<int>(0, TimeSpan.FromMilliseconds(50)).Result);
        Assert.False(HasMessages);
        second.SetResult();
        ExpectMsg("another ends");
        ExpectMsg(1);
    }

    [Fact]
    public void State_is_changed_by_one_step_at_a_time()
    {
        IActorRef actor = ActorOf<Adding>();
        for (int i = 0; i < 50; i++)
            actor.Tell(1);
        actor.Tell("sum");

        ExpectMsg(50 * 3);
    }

    private static void Send(IActorRef actor, params object[] messages)
    {
        foreach (object message in messages)
            actor.Tell(message);
    }

    private sealed class Async : ReceiveActor
    {
        public Async(IActorRef report, Task gate)
        {
            ReceiveAsync<string>(text => text == "wait", async _ =>
            {
                report.Tell("begins");
                await gate;
                report.Tell("ends");
            });
            ReceiveAsync<string>(text => text == "who", async _ =>
            {
                await gate;
                await Task.Yield();
                Sender.Tell($"you are {Sender.Path.Name}");
            });
            ReceiveAsync<string>(text => text == "fail", async _ =>
            {
                await gate;
                throw new Broken("after the await");
            });
            ReceiveAsync<Task>(async another =>
            {
                report.Tell("awaits another");
                await another;
                report.Tell("another ends");
            });
            ReceiveAsync<string>(text => text == "fail at once", _ => throw new Broken("at once"));
            Receive<int>(number => report.Tell(number));
            ReceiveAny(_ => { });
        }
    }

    private sealed class Adding : ReceiveActor
    {
        private int _sum;

        public Adding()
        {
            ReceiveAsync<int>(async number =>
            {
                int before = _sum;
                await Task.WhenAll(Add(), Add());
                await Add();
                Assert.Equal(before + (3 * number), _sum);

                async Task Add()
                {
                    await Task.Yield();
                    _sum += number;
                }
            });
            Receive<string>(_ => Sender.Tell(_sum));
        }
    }
}
