using Akka.Actor;
using Akka.Dispatch;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    private readonly LinkedList<IPendingHandlerInvocation> _invocations = new();
    private readonly List<IPersistentEnvelope> _eventBatch = [];
    private List<IPersistentEnvelope> _journalBatch = [];
    private int _stashingInvocations;
    private bool _writeInProgress;
    private bool _returnedOne;
    private bool _asyncCommand;

    public override void AroundPreRestart(Exception cause, object message)
    {
        StopRecoveryTimer();
        ReturnPermit();
        ReturnStashes();

        // The event behind an answer of the journal is what the failing code was about.
        base.AroundPreRestart(cause, message switch
        {
            WriteMessageSuccess success => success.Persistent.Payload,
            LoopMessageSuccess loop => loop.Message,
            ReplayedMessage replayed => replayed.Persistent.Payload,
            _ => message,
        });
    }

    public override void AroundPostStop()
    {
        StopRecoveryTimer();
        ReturnPermit();
        ReturnStashes();
        base.AroundPostStop();
    }

    protected override bool AroundReceive(Receive receive, object message)
    {
        if (IsOfAnotherIncarnation(message))
        {
            return true;
        }

        _currentMessage = message;
        _returnedOne = false;
        switch (_phase)
        {
            case Phase.AwaitingPermit:
                ReceiveAwaitingPermit(message);
                return true;
            case Phase.LoadingSnapshot:
                ReceiveLoadingSnapshot(message);
                return true;
            case Phase.Replaying:
                ReceiveReplaying(message);
                return true;
            case Phase.Ended:
                StashInternally(message);
                return true;
        }

        if (ReceiveJournalAnswer(message) || message is RecoveryTick)
        {
            return true;
        }

        if (_phase == Phase.Persisting)
        {
            StashInternally(message);
            return true;
        }

        bool handled = true;
        RunAndFinish(() => handled = base.AroundReceive(receive, message));
        return handled;
    }

    /// <summary>Runs an asynchronous part of a command; no other message is handled until it ends, and what it persists counts as persisted by the command.</summary>
    protected void RunTask(Func<Task> action)
    {
        _asyncCommand = true;
        ActorTaskScheduler.RunTask(async () =>
        {
            bool failed = true;
            try
            {
                await action();
                failed = false;
            }
            finally
            {
                _asyncCommand = false;
                Finish(failed);
            }
        });
    }

    /// <summary>
    /// What an earlier incarnation of this actor asked for, and what no recovery waits for any more. A restart does not stop the answers that are on their way;
    /// a replay of its own and one of its predecessor would be applied one over the other.
    /// </summary>
    private bool IsOfAnotherIncarnation(object message) => message switch
    {
        WriteMessageSuccess m => m.ActorInstanceId != _instanceId,
        WriteMessageRejected m => m.ActorInstanceId != _instanceId,
        WriteMessageFailure m => m.ActorInstanceId != _instanceId,
        LoopMessageSuccess m => m.ActorInstanceId != _instanceId,
        WriteMessagesSuccessful m => IsAnother(m.ActorInstanceId),
        WriteMessagesFailed m => IsAnother(m.ActorInstanceId),
        ReplayedMessage m => IsAnother(m.ActorInstanceId),
        RecoverySuccess m => IsAnother(m.ActorInstanceId),
        ReplayMessagesFailure m => IsAnother(m.ActorInstanceId),
        LoadSnapshotResult m => IsAnother(m.ActorInstanceId),
        LoadSnapshotFailed m => IsAnother(m.ActorInstanceId),
        RecoveryTick m => IsAnother(m.ActorInstanceId),
        RecoveryPermitter.Granted => _phase != Phase.AwaitingPermit,
        _ => false,
    };

    private bool IsAnother(int actorInstanceId) => actorInstanceId != 0 && actorInstanceId != _instanceId;

    private bool ReceiveJournalAnswer(object message)
    {
        switch (message)
        {
            case WriteMessageSuccess m:
                LastSequenceNr = Math.Max(LastSequenceNr, m.Persistent.SequenceNr);
                RunNextHandler();
                return true;
            case WriteMessageRejected m:
                LastSequenceNr = Math.Max(LastSequenceNr, m.Persistent.SequenceNr);
                TakeNextInvocation();
                RunAndFinish(() => OnPersistRejected(m.Cause, m.Persistent.Payload, m.Persistent.SequenceNr));
                return true;
            case WriteMessageFailure m:
                TakeNextInvocation();
                _phase = Phase.Ended;
                try
                {
                    OnPersistFailure(m.Cause, m.Persistent.Payload, m.Persistent.SequenceNr);
                }
                finally
                {
                    Context.Stop(Self);
                }

                return true;
            case LoopMessageSuccess:
                RunNextHandler();
                return true;
            case WriteMessagesSuccessful or WriteMessagesFailed:
                _writeInProgress = false;
                SendBatch();
                return true;
            default:
                return false;
        }
    }

    private void RunNextHandler()
    {
        IPendingHandlerInvocation invocation = TakeNextInvocation();
        RunAndFinish(() => invocation.Handler(invocation.Event));
    }

    private IPendingHandlerInvocation TakeNextInvocation()
    {
        IPendingHandlerInvocation invocation = _invocations.First!.Value;
        _invocations.RemoveFirst();
        if (invocation is StashingHandlerInvocation)
        {
            _stashingInvocations--;
        }

        return invocation;
    }

    /// <summary>Runs code of the actor, then sends what it persisted and decides what may be handled next.</summary>
    private void RunAndFinish(Action code)
    {
        bool failed = true;
        try
        {
            code();
            failed = false;
        }
        finally
        {
            if (!_asyncCommand || failed)
            {
                Finish(failed);
            }
        }
    }

    private void Finish(bool failed)
    {
        if (_eventBatch.Count > 0)
        {
            _journalBatch.AddRange(_eventBatch);
            _eventBatch.Clear();
            SendBatch();
        }

        if (_phase == Phase.Ended)
        {
            return;
        }

        _phase = _stashingInvocations > 0 ? Phase.Persisting : Phase.Processing;
        if (failed)
        {
            // The next incarnation, or this one if it is resumed, gets them in the order of their arrival.
            _internalStash.ReturnAll();
        }
        else if (_phase == Phase.Processing && !_returnedOne)
        {
            _returnedOne = _internalStash.ReturnOne();
        }
    }

    /// <summary>One batch is on its way at a time; what is persisted meanwhile shares the next one.</summary>
    private void SendBatch()
    {
        if (_writeInProgress || _journalBatch.Count == 0)
        {
            return;
        }

        List<IPersistentEnvelope> batch = _journalBatch;
        int max = Extension.MessageBatchMax(JournalPluginId);
        if (batch.Count > max)
        {
            batch = _journalBatch.GetRange(0, max);
            _journalBatch.RemoveRange(0, max);
        }
        else
        {
            _journalBatch = [];
        }

        _writeInProgress = true;
        Journal.Tell(new WriteMessages(batch, Self, _instanceId), Self);
    }

    private void StashInternally(object message)
    {
        if (!_internalStash.IsFull)
        {
            _internalStash.Add(new Envelope(message, Sender));
            return;
        }

        switch (InternalStashOverflowStrategy)
        {
            case ReplyToStrategy reply:
                Sender.Tell(reply.Response, Self);
                break;
            case DiscardToDeadLetterStrategy:
                Context.System.DeadLetters.Tell(new Akka.Event.DeadLetter(message, Sender, Self), Sender);
                break;
            default:
                throw new StashOverflowException($"the internal stash of {PersistenceId} is full ({_internalStash.Count} messages wait)");
        }
    }

    private void ReturnStashes()
    {
        _stash.UnstashAll(UnstashFilterPredicate);
        _internalStash.ReturnAll();
    }
}
