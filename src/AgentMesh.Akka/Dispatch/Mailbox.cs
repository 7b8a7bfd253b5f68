using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch.MessageQueues;
using Akka.Dispatch.SysMsg;

namespace Akka.Dispatch;

/// <summary>
/// The messages of one actor and the right to run it. The same object is queued on the executor each time, so running costs no allocation.
/// </summary>
/// <remarks>
/// State: bit 0 scheduled (queued or running), bit 1 closed, the rest counts suspensions.
/// <code>
/// idle --message--> scheduled --nothing left--> idle
/// scheduled --throughput used up--> scheduled (at the back of the executor's queue)
/// any --actor ended--> closed
/// </code>
/// </remarks>
public class Mailbox : IRunnable
{
    private const int Scheduled = 1;
    private const int Closed = 2;
    private const int SuspendUnit = 4;

    private readonly object _cleaning = new();
    private ActorCell _actor = null!;
    private SystemMessage? _systemMessages;
    private int _state;

    public Mailbox(IMessageQueue messageQueue) => MessageQueue = messageQueue;

    public IMessageQueue MessageQueue { get; }

    public MessageDispatcher Dispatcher => _actor.Dispatcher;

    internal bool IsClosed => (Volatile.Read(ref _state) & Closed) != 0;

    internal bool IsSuspended => Volatile.Read(ref _state) >= SuspendUnit;

    internal int SuspendCount => Volatile.Read(ref _state) / SuspendUnit;

    internal bool HasMessages => MessageQueue.HasMessages;

    internal bool HasSystemMessages => Volatile.Read(ref _systemMessages) is not null;

    public static void DebugPrint(string message, params object[] args) =>
        System.Diagnostics.Debug.WriteLine(args.Length == 0 ? message : string.Format(System.Globalization.CultureInfo.InvariantCulture, message, args));

    public virtual void SetActor(ActorCell actorCell) => _actor = actorCell;

    public void Execute() => Run();

    public void Run()
    {
        ActorCell previous = InternalCurrentActorCellKeeper.Current;
        InternalCurrentActorCellKeeper.Current = _actor;
        bool more = false;
        try
        {
            if (!IsClosed)
            {
                ProcessSystemMessages();
                more = ProcessMessages();
            }
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = previous;
            Interlocked.And(ref _state, ~Scheduled);
            Dispatcher.RegisterForExecution(this, hasMessageHint: false, hasSystemMessageHint: false, yield: more);
        }
    }

    /// <summary>Moves what is left to the dead letters; once closed, whoever enqueues late calls it again.</summary>
    public virtual void CleanUp()
    {
        if (_actor is null)
            return;
        lock (_cleaning)
        {
            DeadLetterMailbox deadLetters = _actor.System.Mailboxes.DeadLetterMailbox;
            for (SystemMessage? message = TakeSystemMessages(); message is not null;)
            {
                SystemMessage? next = message.Next;
                message.Unlink();
                deadLetters.SystemEnqueue(_actor.Self, message);
                message = next;
            }

            MessageQueue.CleanUp(_actor.Self, deadLetters.MessageQueue);
        }
    }

    /// <summary>Takes the right to run the actor when there is work for it.</summary>
    internal bool TrySchedule(bool hasMessageHint, bool hasSystemMessageHint)
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & (Scheduled | Closed)) != 0)
                return false;
            bool work = hasSystemMessageHint || HasSystemMessages || (state < SuspendUnit && (hasMessageHint || HasMessages));
            if (!work)
                return false;
            if (Interlocked.CompareExchange(ref _state, state | Scheduled, state) == state)
                return true;
        }
    }

    /// <summary>Gives the right back after the executor refused the mailbox.</summary>
    internal void Unschedule() => Interlocked.And(ref _state, ~Scheduled);

    internal void Suspend() => Interlocked.Add(ref _state, SuspendUnit);

    internal void Resume()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if (state < SuspendUnit || Interlocked.CompareExchange(ref _state, state - SuspendUnit, state) == state)
                return;
        }
    }

    internal void BecomeClosed() => Interlocked.Or(ref _state, Closed);

    internal void Enqueue(IActorRef receiver, in Envelope envelope)
    {
        MessageQueue.Enqueue(receiver, envelope);
        if (IsClosed)
            CleanUp();
    }

    internal virtual void SystemEnqueue(IActorRef receiver, SystemMessage message)
    {
        while (true)
        {
            SystemMessage? latest = Volatile.Read(ref _systemMessages);
            message.Next = latest;
            if (ReferenceEquals(Interlocked.CompareExchange(ref _systemMessages, message, latest), latest))
                break;
        }

        if (IsClosed)
            CleanUp();
    }

    internal void ProcessSystemMessages()
    {
        while (HasSystemMessages && !IsClosed)
        {
            SystemMessage? message = TakeSystemMessages();
            while (message is not null)
            {
                SystemMessage? next = message.Next;
                message.Unlink();
                if (IsClosed)
                    _actor.System.Mailboxes.DeadLetterMailbox.SystemEnqueue(_actor.Self, message);
                else
                    _actor.SystemInvoke(message);
                message = next;
            }
        }
    }

    /// <returns>True when messages are left because the throughput is used up.</returns>
    private bool ProcessMessages()
    {
        MessageDispatcher dispatcher = Dispatcher;
        int left = Math.Max(1, dispatcher.Throughput);
        long deadline = dispatcher.ThroughputDeadlineTime is > 0 and { } ticks ? dispatcher.Clock.GetTimestamp() + dispatcher.DeadlineTimestamps(ticks) : long.MaxValue;
        while (Volatile.Read(ref _state) < Closed)
        {
            if (!MessageQueue.TryDequeue(out Envelope envelope))
                return false;
            _actor.Invoke(envelope);
            if (HasSystemMessages)
                ProcessSystemMessages();
            if (--left == 0 || (deadline != long.MaxValue && dispatcher.Clock.GetTimestamp() >= deadline))
                return true;
        }

        return false;
    }

    /// <summary>Oldest first.</summary>
    private SystemMessage? TakeSystemMessages()
    {
        SystemMessage? message = Interlocked.Exchange(ref _systemMessages, null), ordered = null;
        while (message is not null)
        {
            SystemMessage? older = message.Next;
            message.Next = ordered;
            ordered = message;
            message = older;
        }

        return ordered;
    }
}
