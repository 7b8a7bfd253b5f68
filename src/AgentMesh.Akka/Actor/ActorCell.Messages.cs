using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Handling of messages.</summary>
public partial class ActorCell
{
    private ReceiveTimeoutTimer? _receiveTimeout;
    private TimerScheduler? _timers;
    private Queue<SystemMessage>? _postponed;
    private bool _asyncRunning;

    public TimeSpan? ReceiveTimeout => _receiveTimeout?.Timeout;

    /// <summary>Handles one message of a user. Never throws.</summary>
    public void Invoke(Envelope envelope)
    {
        _current = envelope;
        _receiveTimeout?.MessageBegins(envelope.Message);
        try
        {
            if (envelope.Message is IAutoReceivedMessage)
                AutoReceiveMessage(envelope);
            else
                ReceiveMessage(envelope.Message);
            if (_asyncRunning)
                return;
            _current = default;
        }
        catch (Exception e)
        {
            HandleInvokeFailure(e);
        }

        _receiveTimeout?.MessageEnded(envelope.Message);
    }

    public void SetReceiveTimeout(TimeSpan? timeout = null)
    {
        if (timeout is null && _receiveTimeout is null)
            return;
        _receiveTimeout ??= new ReceiveTimeoutTimer(_self, _system.Scheduler);
        _receiveTimeout.Set(timeout);
    }

    internal void SystemInvoke(SystemMessage message)
    {
        if (MustPostpone(message))
        {
            (_postponed ??= new Queue<SystemMessage>()).Enqueue(message);
            return;
        }

        HandleSystemMessage(message);
        while (_postponed is { Count: > 0 } postponed && postponed.Any(m => !MustPostpone(m)))
        {
            _postponed = null;
            foreach (SystemMessage one in postponed)
            {
                if (MustPostpone(one))
                    (_postponed ??= new Queue<SystemMessage>()).Enqueue(one);
                else
                    HandleSystemMessage(one);
            }
        }
    }

    /// <summary>The handler awaits: no further message until <see cref="EndAsync"/>.</summary>
    internal void BeginAsync()
    {
        _asyncRunning = true;
        Mailbox.Suspend();
    }

    internal void EndAsync(ActorTaskScheduler scheduler, Exception? failure)
    {
        // A task of an instance that was replaced meanwhile changes nothing.
        if (!_asyncRunning || !ReferenceEquals(scheduler, _taskScheduler))
            return;
        object message = _current.Message;
        _asyncRunning = false;
        Mailbox.Resume();
        if (failure is null)
            _current = default;
        else
            HandleInvokeFailure(failure);
        _receiveTimeout?.MessageEnded(message);
    }

    protected virtual void ReceiveMessage(object message) => _actor!.InvokeAroundReceive(_behavior, message);

    protected virtual void AutoReceiveMessage(Envelope envelope)
    {
        if (_system.Settings.DebugAutoReceive)
            Publish(new Debug(_self.Path.ToString(), Props.Type, $"received AutoReceiveMessage {envelope.Message}"));
        switch (envelope.Message)
        {
            case TimerMessage timer:
                if (_timers?.Accept(timer) is { } message)
                {
                    ReplaceCurrentMessage(message);
                    ReceiveMessage(message);
                }

                break;
            case Terminated terminated:
                ReceivedTerminated(terminated);
                break;
            case AddressTerminated gone:
                AddressTerminated(gone.Address);
                break;
            case PoisonPill:
                _self.Stop();
                break;
            case Kill:
                throw new ActorKilledException("Kill");
            case Identify identify:
                Sender.Tell(new ActorIdentity(identify.MessageId, Self), Self);
                break;
            case ActorSelectionMessage selection:
                ReceiveSelection(selection);
                break;
            default:
                ReceiveMessage(envelope.Message);
                break;
        }
    }

    private void ReceiveSelection(ActorSelectionMessage selection)
    {
        if (selection.Elements.Length == 0)
            Invoke(new Envelope(selection.Message, _current.Sender));
        else
            DeliverSelection(selection);
    }

    private void DeliverSelection(ActorSelectionMessage selection) => Akka.Actor.ActorSelection.DeliverSelection(_self, _current.Sender, selection);

    /// <summary>
    /// While children are awaited, nothing may start, suspend or resume the actor; while the actor itself has failed, failures of children wait
    /// until it is known what becomes of it.
    /// </summary>
    private bool MustPostpone(SystemMessage message) => message switch
    {
        Failed => _isFailed || ChildrenAwaited,
        Create or Recreate or Dispatch.SysMsg.Suspend or Dispatch.SysMsg.Resume => ChildrenAwaited,
        _ => false,
    };

    private void HandleSystemMessage(SystemMessage message)
    {
        try
        {
            switch (message)
            {
                case ActorTask task:
                    (task.Scheduler ?? TaskScheduler).Execute(task.Task);
                    break;
                case Failed failed:
                    HandleFailed(failed);
                    break;
                case DeathWatchNotification notification:
                    WatchedActorTerminated(notification.Actor, notification.ExistenceConfirmed, notification.AddressTerminated);
                    break;
                case Create create:
                    CreateActor(create.Failure);
                    break;
                case Watch watch:
                    AddWatcher(watch.Watchee, watch.Watcher);
                    break;
                case Unwatch unwatch:
                    RemWatcher(unwatch.Watchee, unwatch.Watcher);
                    break;
                case Recreate recreate:
                    FaultRecreate(recreate.Cause);
                    break;
                case Dispatch.SysMsg.Suspend:
                    FaultSuspend();
                    break;
                case Dispatch.SysMsg.Resume resume:
                    FaultResume(resume.CausedByFailure);
                    break;
                case Terminate:
                    TerminateActor();
                    break;
                case Supervise supervise:
                    DebugLifecycle($"now supervising {supervise.Child}");
                    break;
                case NoMessage:
                    break;
                default:
                    throw new NotSupportedException($"Unknown system message {message.GetType().Name}");
            }
        }
        catch (Exception e)
        {
            HandleInvokeFailure(e, message is Failed failed ? failed.Child : null);
        }
    }
}
