using Akka.Actor;
using Akka.Event;

namespace AgentMesh.EngineTests.Actor;

public sealed class EventStreamTests : ActorTest
{
    [Fact]
    public void A_subscriber_of_a_type_gets_its_subtypes_and_nothing_else()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(Animal));
        Sys.EventStream.Publish("a text");
        Sys.EventStream.Publish(new Dog());
        Sys.EventStream.Publish(new Animal());

        ExpectMsg<Dog>();
        Assert.IsType<Animal>(ExpectMsg<Animal>());
    }

    [Fact]
    public void A_subscriber_of_an_interface_gets_all_that_implement_it()
    {
        Sys.EventStream.Subscribe<IBarks>(TestActor);
        Sys.EventStream.Publish(new Animal());
        Sys.EventStream.Publish(new Dog());

        ExpectMsg<Dog>();
    }

    [Fact]
    public void Who_subscribes_to_a_type_and_its_subtype_gets_an_event_once()
    {
        Assert.True(Sys.EventStream.Subscribe(TestActor, typeof(Dog)));
        Assert.True(Sys.EventStream.Subscribe(TestActor, typeof(Animal)));
        Assert.False(Sys.EventStream.Subscribe(TestActor, typeof(Dog)));
        Sys.EventStream.Publish(new Dog());
        Sys.EventStream.Publish(new Animal());

        ExpectMsg<Dog>();
        Assert.IsType<Animal>(ExpectMsg<Animal>());
    }

    [Fact]
    public void An_event_of_two_subscribed_types_comes_once()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(Animal));
        Sys.EventStream.Subscribe(TestActor, typeof(IBarks));
        Sys.EventStream.Publish(new Dog());
        Sys.EventStream.Publish(new Animal());

        ExpectMsg<Dog>();
        Assert.IsType<Animal>(ExpectMsg<Animal>());
    }

    [Fact]
    public void A_subscription_that_comes_after_an_event_of_the_type_counts_for_the_next()
    {
        Sys.EventStream.Publish(new Dog());
        Sys.EventStream.Subscribe(TestActor, typeof(Dog));
        Sys.EventStream.Publish(new Dog());

        ExpectMsg<Dog>();
    }

    [Fact]
    public void Who_unsubscribes_gets_nothing_more_of_that_type()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(Dog));
        Sys.EventStream.Subscribe(TestActor, typeof(string));
        Assert.True(Sys.EventStream.Unsubscribe(TestActor, typeof(Dog)));
        Sys.EventStream.Publish(new Dog());
        Sys.EventStream.Publish("still this");

        ExpectMsg("still this");
        Assert.True(Sys.EventStream.Unsubscribe(TestActor));
        Assert.False(Sys.EventStream.Unsubscribe(TestActor));
    }

    [Fact]
    public void An_actor_that_has_ended_is_unsubscribed()
    {
        IActorRef subscriber = ActorOf(PuppetProps());
        Sys.EventStream.Subscribe(subscriber, typeof(Dog));
        Watch(subscriber);
        Sys.Stop(subscriber);
        ExpectTerminated(subscriber);

        // Unsubscribing says whether there was something to unsubscribe.
        AwaitCondition(() =>
        {
            bool was = Sys.EventStream.Unsubscribe(subscriber, typeof(Dog));
            if (was)
                Sys.EventStream.Subscribe(subscriber, typeof(Dog));
            return !was;
        });
    }

    private class Animal;

    private interface IBarks;

    private sealed class Dog : Animal, IBarks;
}
