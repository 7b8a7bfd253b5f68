using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The engine's side of one actor: its mailbox, children, watchers, behaviour and failures. Only the thread that runs the mailbox changes it.</summary>
/// <remarks>
/// Life: <c>new -> Create -> running</c>; <c>running -> failed</c> (mailbox suspended, supervisor asked) <c>-> running</c> (resume, or recreate once
/// the children that were told to stop have ended) or <c>-> ending</c> (children told to stop) <c>-> ended</c> (detached, watchers told).
/// </remarks>
public partial class ActorCell : IUntypedActorContext
{
    public const int UndefinedUid = 0;

    private readonly ActorSystemImpl _system;
    private readonly IInternalActorRef _self;
    private readonly IInternalActorRef _parent;
    private Mailbox _mailbox = null!;
    private ActorBase? _actor;
    private Envelope _current;
    private Receive _behavior = null!;
    private Stack<Receive>? _behaviorsBelow;
    private ActorTaskScheduler? _taskScheduler;

    public ActorCell(ActorSystemImpl system, IInternalActorRef self, Props props, MessageDispatcher dispatcher, IInternalActorRef parent)
    {
        _system = system;
        _self = self;
        _parent = parent;
        Props = props;
        Dispatcher = dispatcher;
    }

    public ActorSystem System => _system;

    public ActorSystemImpl SystemImpl => _system;

    public IActorRef Self => _self;

    public IInternalActorRef Parent => _parent;

    public Props Props { get; private set; }

    public MessageDispatcher Dispatcher { get; }

    public Mailbox Mailbox => Volatile.Read(ref _mailbox);

    public object CurrentMessage => _current.Message;

    public IActorRef Sender => _current.Sender ?? _system.DeadLetters;

    public bool HasMessages => Mailbox.HasMessages;

    public int NumberOfMessages => Mailbox.MessageQueue.Count;

    public bool IsLocal => true;

    public bool IsTerminated => Mailbox.IsClosed;

    public virtual ActorTaskScheduler TaskScheduler => _taskScheduler ??= new ActorTaskScheduler(this);

    IActorRef IActorContext.Parent => _parent;

    internal ActorBase? Actor => _actor;

    internal Envelope CurrentEnvelope => _current;

    public static IActorRef GetCurrentSelfOrNoSender() => InternalCurrentActorCellKeeper.Current?._self ?? ActorRefs.NoSender;

    public static IActorRef GetCurrentSenderOrNoSender() => InternalCurrentActorCellKeeper.Current?._current.Sender ?? ActorRefs.NoSender;

    /// <summary>Makes the mailbox and puts the order to create the actor into it.</summary>
    public void Init(bool sendSupervise, MailboxType mailboxType)
    {
        var mailbox = new Mailbox(mailboxType.Create(_self, _system));
        mailbox.SetActor(this);
        mailbox.SystemEnqueue(_self, new Create());
        Volatile.Write(ref _mailbox, mailbox);
        if (sendSupervise)
            _parent.SendSystemMessage(new Supervise(_self, async: false));
    }

    public virtual void Start() => Dispatcher.Attach(this);

    public void Stop() => SendSystemMessage(new Terminate());

    public void Suspend() => SendSystemMessage(new Suspend());

    public void Resume(Exception causedByFailure) => SendSystemMessage(new Resume(causedByFailure));

    public void Restart(Exception cause) => SendSystemMessage(new Recreate(cause));

    public virtual void SendMessage(IActorRef sender, object message) => SendMessage(new Envelope(message, sender, _system));

    public virtual void SendMessage(Envelope message)
    {
        if (_system.VerifiesSerialization)
            message = _system.Serialization.RoundTrip(message, _system);
        Dispatcher.Dispatch(this, message);
    }

    public virtual void SendSystemMessage(ISystemMessage systemMessage) => Dispatcher.SystemDispatch(this, (SystemMessage)systemMessage);

    public void Become(Receive receive) => _behavior = receive;

    public void BecomeStacked(Receive receive)
    {
        (_behaviorsBelow ??= new Stack<Receive>()).Push(_behavior);
        _behavior = receive;
    }

    public void UnbecomeStacked()
    {
        if (_behaviorsBelow is null || !_behaviorsBelow.TryPop(out Receive? below))
            below = _actor is null ? _behavior : _actor.OwnReceive;
        _behavior = below;
    }

    void IUntypedActorContext.Become(UntypedReceive receive) => Become(Typed(receive));

    void IUntypedActorContext.BecomeStacked(UntypedReceive receive) => BecomeStacked(Typed(receive));

    /// <summary>Runs code as this actor on the present thread.</summary>
    public void UseThreadContext(Action action)
    {
        ActorCell previous = InternalCurrentActorCellKeeper.Current;
        InternalCurrentActorCellKeeper.Current = this;
        try
        {
            action();
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = previous;
        }
    }

    public ActorSelection ActorSelection(string path) => ActorRefFactoryShared.ActorSelection(path, _system, _self);

    public ActorSelection ActorSelection(ActorPath path) => ActorRefFactoryShared.ActorSelection(path, _system);

    internal Mailbox SwapMailbox(Mailbox mailbox) => Interlocked.Exchange(ref _mailbox, mailbox);

    internal void ReplaceCurrentMessage(object message) => _current = new Envelope(message, _current.Sender);

    protected virtual ActorBase CreateNewActorInstance() => Props.NewActor();

    private static Receive Typed(UntypedReceive receive) => message =>
    {
        receive(message);
        return true;
    };

    private ActorBase NewActor()
    {
        _behavior = null!;
        _behaviorsBelow = null;
        ActorBase actor = CreateNewActorInstance() ?? throw new ActorInitializationException(_self, $"The factory of {Props.Type.Name} returned null");
        (actor as IInitializableActor)?.Init();
        if (actor is IActorStash stash)
            stash.Stash = StashFactory.CreateStash(this, stash);
        if (actor is IWithTimers timers)
            timers.Timers = _timers = new TimerScheduler(this);
        return actor;
    }

    private void Publish(LogEvent @event)
    {
        try
        {
            _system.EventStream.Publish(@event);
        }
        catch (Exception e)
        {
            // The log must never decide over an actor.
            global::System.Diagnostics.Debug.WriteLine(e);
        }
    }

    private void DebugLifecycle(string what)
    {
        if (_system.Settings.DebugLifecycle)
            Publish(new Debug(_self.Path.ToString(), _actor?.GetType() ?? Props.Type, what));
    }
}
