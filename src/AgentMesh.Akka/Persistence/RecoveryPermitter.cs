using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Lets so many recoveries run at a time, in the order of their requests, so that a restart with many entities does not starve the writers.</summary>
internal sealed class RecoveryPermitter : UntypedActor
{
    private readonly int _max;
    private readonly HashSet<IActorRef> _running = [];
    private readonly LinkedList<IActorRef> _waiting = new();
    private readonly Dictionary<IActorRef, LinkedListNode<IActorRef>> _places = [];

    public RecoveryPermitter(int max) => _max = max;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Request:
                Ask(Sender);
                break;
            case Return:
                Context.Unwatch(Sender);
                Leave(Sender);
                break;
            case Terminated terminated:
                Leave(terminated.ActorRef);
                break;
        }
    }

    /// <summary>An actor that restarted asks again: it keeps its permit or its place.</summary>
    private void Ask(IActorRef actor)
    {
        if (_places.ContainsKey(actor))
        {
            return;
        }

        Context.Watch(actor);
        if (_running.Contains(actor) || _running.Count < _max)
        {
            Grant(actor);
        }
        else
        {
            _places[actor] = _waiting.AddLast(actor);
        }
    }

    private void Leave(IActorRef actor)
    {
        if (_places.Remove(actor, out LinkedListNode<IActorRef>? place))
        {
            _waiting.Remove(place);
        }

        if (_running.Remove(actor) && _waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            _places.Remove(next.Value);
            Grant(next.Value);
        }
    }

    private void Grant(IActorRef actor)
    {
        _running.Add(actor);
        actor.Tell(Granted.Instance, Self);
    }

    internal sealed class Request : INoSerializationVerificationNeeded
    {
        public static readonly Request Instance = new();
    }

    internal sealed class Granted : INoSerializationVerificationNeeded
    {
        public static readonly Granted Instance = new();
    }

    internal sealed class Return : INoSerializationVerificationNeeded
    {
        public static readonly Return Instance = new();
    }
}
