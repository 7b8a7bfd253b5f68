using System.Collections.Concurrent;
using Akka.Actor;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>An actor whose messages a test takes one by one, with their senders.</summary>
internal sealed class Inbox
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly BlockingCollection<(object Message, IActorRef Sender)> _received = [];

    public Inbox(ActorSystem system)
    {
        BlockingCollection<(object Message, IActorRef Sender)> received = _received;
        Ref = system.ActorOf(Props.Create(() => new Receiver(received)));
    }

    public IActorRef Ref { get; }

    public T Take<T>() => TakeWithSender<T>().Message;

    public (T Message, IActorRef Sender) TakeWithSender<T>()
    {
        if (!_received.TryTake(out (object Message, IActorRef Sender) next, Patience))
        {
            throw new TimeoutException($"no {typeof(T).Name} came");
        }

        return (Assert.IsType<T>(next.Message), next.Sender);
    }

    public object Take() =>
        _received.TryTake(out (object Message, IActorRef Sender) next, Patience) ? next.Message : throw new TimeoutException("no message came");

    private sealed class Receiver(BlockingCollection<(object Message, IActorRef Sender)> received) : UntypedActor
    {
        protected override void OnReceive(object message) => received.Add((message, Sender));
    }
}
