using Akka.Actor;
using Akka.Event;

namespace AgentMesh.EngineTests.Actor;

public sealed class BehaviourTests : ActorTest
{
    [Fact]
    public void Become_replaces_the_behaviour_on_top()
    {
        IActorRef actor = ActorOf<Layered>();
        Send(actor, "become one", "name", "become two", "name", "back", "name");

        Assert.Equal(["one", "two", "own"], ReceiveN(3));
    }

    [Fact]
    public void Stacked_behaviours_come_back_one_by_one_down_to_the_actor_s_own()
    {
        IActorRef actor = ActorOf<Layered>();
        Send(actor, "push one", "push two", "name", "back", "name", "back", "name", "back", "name");

        Assert.Equal(["two", "one", "own", "own"], ReceiveN(4));
    }

    [Fact]
    public void A_restart_forgets_all_behaviours()
    {
        IActorRef actor = ActorOf<Layered>();
        Send(actor, "push one", "push two", "fail", "name", "back", "name");

        Assert.Equal(["own", "own"], ReceiveN(2));
    }

    [Fact]
    public void The_first_handler_that_fits_gets_the_message()
    {
        IActorRef actor = ActorOf<Choosing>();
        Send(actor, 5, 50, "text", 2.5);

        Assert.Equal(["small", "int", "string", "any"], ReceiveN(4));
    }

    [Fact]
    public void A_message_without_a_handler_is_published_as_unhandled()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(UnhandledMessage));
        IActorRef actor = ActorOf<OnlyText>();
        actor.Tell(7);

        var unhandled = ExpectMsg<UnhandledMessage>();
        Assert.Equal(7, unhandled.Message);
        Assert.Equal(TestActor, unhandled.Sender);
        Assert.Equal(actor, unhandled.Recipient);
    }

    [Fact]
    public void Handlers_cannot_be_declared_after_the_constructor() => EventFilter.Exception<InvalidOperationException>().ExpectOne(() =>
        ActorOf<Late>().Tell("declare"));

    private static void Send(IActorRef actor, params object[] messages)
    {
        foreach (object message in messages)
            actor.Tell(message);
    }

    private sealed class Layered : UntypedActor
    {
        protected override void OnReceive(object message) => Answer("own", (string)message);

        private void Answer(string layer, string message)
        {
            switch (message.Split(' '))
            {
                case ["name"]:
                    Sender.Tell(layer);
                    break;
                case ["become", string next]:
                    Become(each => Answer(next, (string)each));
                    break;
                case ["push", string next]:
                    BecomeStacked(each => Answer(next, (string)each));
                    break;
                case ["back"]:
                    UnbecomeStacked();
                    break;
                default:
                    throw new Broken();
            }
        }
    }

    private sealed class Choosing : ReceiveActor
    {
        public Choosing()
        {
            Receive<int>(number => number < 10, _ => Sender.Tell("small"));
            Receive<int>(_ => Sender.Tell("int"));
            Receive<string>(_ => Sender.Tell("string"));
            ReceiveAny(_ => Sender.Tell("any"));
        }
    }

    private sealed class OnlyText : ReceiveActor
    {
        public OnlyText() => Receive<string>(_ => { });
    }

    private sealed class Late : ReceiveActor
    {
        public Late() => Receive<string>(_ => Receive<int>(_ => { }));
    }
}
