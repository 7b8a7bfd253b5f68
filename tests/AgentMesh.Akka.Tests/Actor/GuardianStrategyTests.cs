using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

/// <summary>The strategy for actors that are made by the system itself comes from the configuration.</summary>
public sealed class GuardianStrategyTests : ActorTest
{
    public GuardianStrategyTests()
        : base("akka.actor.guardian-supervisor-strategy = \"Akka.Actor.StoppingSupervisorStrategy\"")
    {
    }

    [Fact]
    public void An_actor_of_the_system_is_supervised_as_the_configuration_says()
    {
        IActorRef actor = Sys.ActorOf(PuppetProps());
        Watch(actor);
        actor.Tell(new Broken());

        ExpectTerminated(actor);
    }

    [Fact]
    public void Its_children_are_not()
    {
        IActorRef parent = Sys.ActorOf(PuppetProps());
        IActorRef child = Child(parent, PuppetProps(), "child");
        child.Tell(new Broken());

        Settle(child);
    }
}
