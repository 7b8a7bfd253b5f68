using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.EngineTests.Actor;

public sealed class SystemLifeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task An_actor_answers_and_the_system_ends()
    {
        ActorSystem system = ActorSystem.Create("life", Config.Empty);
        IActorRef echo = system.ActorOf<Echo>("echo");

        Assert.Equal("hello", await echo.Ask<string>("hello", Limit));
        Assert.Equal(echo, await system.ActorSelection("/user/echo").ResolveOne(Limit));
        await system.Terminate().WaitAsync(Limit);
    }

    [Fact]
    public async Task Termination_callbacks_run_last_registered_first_after_all_actors_ended()
    {
        ActorSystem system = ActorSystem.Create("life", Config.Empty);
        var order = new List<string>();
        system.ActorOf(Props.Create(() => new OnStop(() => order.Add("actor"))));
        system.RegisterOnTermination(() => order.Add("first"));
        system.RegisterOnTermination(() => order.Add("second"));

        await system.Terminate().WaitAsync(Limit);

        Assert.Equal(["actor", "second", "first"], order);
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(message => Sender.Tell(message));
    }

    private sealed class OnStop(Action stopped) : ReceiveActor
    {
        protected override void PostStop() => stopped();
    }
}
