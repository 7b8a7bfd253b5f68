using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;

namespace Akka.Actor;

/// <summary>A reference to an actor of this process.</summary>
public class LocalActorRef : ActorRefWithCell
{
    private readonly ActorPath _path;
    private readonly ActorCell _cell;
    private readonly ActorSystemImpl _system;

    public LocalActorRef(ActorSystemImpl system, Props props, MessageDispatcher dispatcher, MailboxType mailboxType, IInternalActorRef supervisor, ActorPath path)
    {
        _system = system;
        _path = path;
        Props = props;
        Dispatcher = dispatcher;
        MailboxType = mailboxType;
        Supervisor = supervisor;
        _cell = MakeCell(system, props, dispatcher, supervisor);
        _cell.Init(sendSupervise: false, mailboxType);
    }

    public override ActorPath Path => _path;

    public override IActorRefProvider Provider => _system.Provider;

    public ActorCell Cell => _cell;

    public override IInternalActorRef Parent => Supervisor;

    public override bool IsLocal => true;

    public override bool IsTerminated => _cell.IsTerminated;

    public override IEnumerable<IActorRef> Children => _cell.GetChildren();

    protected ActorSystem System => _system;

    protected Props Props { get; }

    protected MessageDispatcher Dispatcher { get; }

    protected MailboxType MailboxType { get; }

    protected IInternalActorRef Supervisor { get; }

    public override IInternalActorRef GetSingleChild(string name) => _cell.GetSingleChild(name);

    public override IActorRef GetChild(IReadOnlyList<string> name)
    {
        IInternalActorRef current = this;
        for (int i = 0; i < name.Count; i++)
        {
            switch (name[i])
            {
                case "":
                    break;
                case "..":
                    current = current.Parent;
                    break;
                case { } child:
                    if (current is not ActorRefWithCell parent)
                        return current.GetChild(name.Skip(i).ToArray());
                    current = parent.GetSingleChild(child);
                    break;
            }

            if (current.IsNobody())
                return ActorRefs.Nobody;
        }

        return current;
    }

    public override void Resume(Exception causedByFailure = null!) => _cell.Resume(causedByFailure);

    public override void Start() => _cell.Start();

    public override void Stop() => _cell.Stop();

    public override void Restart(Exception cause) => _cell.Restart(cause);

    public override void Suspend() => _cell.Suspend();

    public override void SendSystemMessage(ISystemMessage message) => _cell.SendSystemMessage(message);

    protected virtual ActorCell NewActorCell(ActorSystemImpl system, IInternalActorRef self, Props props, MessageDispatcher dispatcher, IInternalActorRef supervisor) =>
        new(system, self, props, dispatcher, supervisor);

    protected override void TellInternal(object message, IActorRef sender) => _cell.SendMessage(sender, message);

    private ActorCell MakeCell(ActorSystemImpl system, Props props, MessageDispatcher dispatcher, IInternalActorRef supervisor) =>
        NewActorCell(system, this, props, dispatcher, supervisor);
}

/// <summary>The root of the tree: the guardians, and names that are no actors.</summary>
public class RootGuardianActorRef : LocalActorRef
{
    private readonly IInternalActorRef _deadLetters;
    private readonly IReadOnlyDictionary<string, IInternalActorRef> _extraNames;
    private IInternalActorRef? _tempContainer;

    public RootGuardianActorRef(ActorSystemImpl system, Props props, MessageDispatcher dispatcher, MailboxType mailboxType, IInternalActorRef supervisor, ActorPath path, IInternalActorRef deadLetters, IReadOnlyDictionary<string, IInternalActorRef> extraNames)
        : base(system, props, dispatcher, mailboxType, supervisor, path)
    {
        _deadLetters = deadLetters;
        _extraNames = extraNames;
    }

    public override IInternalActorRef Parent => this;

    public void SetTempContainer(IInternalActorRef tempContainer) => _tempContainer = tempContainer;

    public override IInternalActorRef GetSingleChild(string name) => name switch
    {
        "temp" => _tempContainer ?? ActorRefs.Nobody,
        "deadLetters" => _deadLetters,
        _ => _extraNames.TryGetValue(name, out IInternalActorRef? extra) ? extra : base.GetSingleChild(name),
    };
}
