using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace AgentMesh.EngineTests.Actor;

public sealed class OrderTests : ActorTest
{
    [Fact]
    public async Task Messages_of_each_sender_arrive_in_the_order_they_were_sent()
    {
        const int Senders = 8, Messages = 2_000;
        IActorRef actor = ActorOf(PuppetProps());

        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(() =>
        {
            for (int i = 0; i < Messages; i++)
                actor.Tell((sender, i), ActorRefs.NoSender);
        })));

        var next = new int[Senders];
        foreach ((int sender, int number) in ReceiveN(Senders * Messages).Cast<(int, int)>())
            Assert.Equal(next[sender]++, number);
    }

    [Fact]
    public void An_actor_handles_one_message_at_a_time()
    {
        int running = 0, most = 0;
        IActorRef actor = ActorOf(PuppetProps());
        Parallel.For(0, 200, _ => actor.Tell(Run(_ =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            Thread.SpinWait(100);
            Interlocked.Decrement(ref running);
        }), ActorRefs.NoSender));
        Settle(actor);

        Assert.Equal(1, most);
    }

    [Fact]
    public void System_messages_come_before_all_messages_of_users()
    {
        IActorRef actor = ActorOf(PuppetProps());
        Watch(actor);
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(_ => gate.Wait(Limit)));
        for (int i = 0; i < 100; i++)
            actor.Tell(i);
        ((IInternalActorRef)actor).SendSystemMessage(new Terminate());
        gate.Set();

        ExpectTerminated(actor);
    }

    [Fact]
    public void What_an_actor_sends_itself_comes_after_what_is_in_its_mailbox()
    {
        IActorRef actor = ActorOf(PuppetProps());
        using var gate = new ManualResetEventSlim();
        actor.Tell(Run(context =>
        {
            gate.Wait(Limit);
            context.Self.Tell("third");
        }));
        actor.Tell("first");
        actor.Tell("second");
        gate.Set();

        Assert.Equal(["first", "second", "third"], ReceiveN(3));
    }

    [Fact]
    public void Null_is_not_a_message() => Assert.Throws<InvalidMessageException>(() => ActorOf(PuppetProps()).Tell(null!));
}
