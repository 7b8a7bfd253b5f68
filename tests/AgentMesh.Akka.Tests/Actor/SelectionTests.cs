using Akka.Actor;

namespace AgentMesh.EngineTests.Actor;

public sealed class SelectionTests : ActorTest
{
    private readonly IActorRef _parent;

    public SelectionTests()
    {
        _parent = ActorOf(PuppetProps(), "parent");
        foreach (string name in (string[])["a1", "a2", "b1"])
            Child(_parent, PuppetProps(), name);
    }

    [Theory]
    [InlineData("/user/parent/a1", "a1")]
    [InlineData("/user/parent/a*", "a1", "a2")]
    [InlineData("/user/parent/?1", "a1", "b1")]
    [InlineData("/user/*/b1", "b1")]
    [InlineData("/user/parent/a1/../b1", "b1")]
    [InlineData("akka://test/user/parent/a2", "a2")]
    public void A_path_reaches_every_actor_that_fits_it(string path, params string[] names)
    {
        Sys.ActorSelection(path).Tell(Run(context => TestActor.Tell(context.Self.Path.Name)));

        Assert.Equal(names, ReceiveN(names.Length).Cast<string>().Order());
        Settle(_parent);
        Assert.False(HasMessages);
    }

    [Fact]
    public void A_relative_path_begins_at_the_actor_that_has_it()
    {
        _parent.Tell(Run(context => context.ActorSelection("a2").Tell(Run(child => TestActor.Tell(child.Self.Path.Name)))));
        ExpectMsg("a2");
        _parent.Tell(Run(context => context.ActorSelection("../parent/b1").Tell(Run(child => TestActor.Tell(child.Self.Path.Name)))));
        ExpectMsg("b1");
    }

    [Fact]
    public void An_actor_behind_a_path_makes_itself_known()
    {
        Sys.ActorSelection("/user/parent/a1").Tell(new Identify(7), TestActor);
        var identity = ExpectMsg<ActorIdentity>();
        Assert.Equal((7, "a1"), ((int)identity.MessageId, identity.Subject.Path.Name));

        Sys.ActorSelection("/user/parent/nobody").Tell(new Identify(8), TestActor);
        identity = ExpectMsg<ActorIdentity>();
        Assert.Equal(8, identity.MessageId);
        Assert.Null(identity.Subject);
    }

    [Fact]
    public async Task Where_nobody_is_nothing_can_be_resolved() =>
        await Assert.ThrowsAsync<ActorNotFoundException>(() => Sys.ActorSelection("/user/parent/nobody").ResolveOne(Limit));

    [Fact]
    public async Task What_is_resolved_is_this_incarnation_and_not_a_later_one()
    {
        IActorRef first = await Sys.ActorSelection("/user/parent/a1").ResolveOne(Limit);
        Watch(first);
        _parent.Tell(Run(context => context.Stop(context.Child("a1"))));
        await ExpectTerminatedAsync(first);
        AwaitCondition(() => Sys.ActorSelection("/user/parent/a1").Ask<ActorIdentity>(new Identify(1), Limit).Result.Subject is null);
        IActorRef second = Child(_parent, PuppetProps(), "a1");
        first.Tell("lost");
        Sys.ActorSelection("/user/parent/a1").Tell("found");

        ExpectMsg("found");
        Assert.NotEqual(first, second);
    }
}
