using Akka.Actor;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    private Phase _phase = Phase.AwaitingPermit;
    private ICancelable? _recoveryTimer;
    private bool _heardSinceTick;
    private bool _holdsPermit;

    /// <summary>
    /// <code>
    /// AwaitingPermit  --granted--> LoadingSnapshot --result--> Replaying --end--> Processing
    /// Processing --a command called Persist--> Persisting --all handlers ran--> Processing
    /// any of the recovery phases --failure or silence--> Ended
    /// </code>
    /// </summary>
    private enum Phase
    {
        AwaitingPermit,
        LoadingSnapshot,
        Replaying,
        Processing,
        Persisting,
        Ended,
    }

    public override void AroundPreStart()
    {
        RequestRecovery();
        base.AroundPreStart();
    }

    public override void AroundPostRestart(Exception reason, object message)
    {
        RequestRecovery();
        base.AroundPostRestart(reason, message);
    }

    private void RequestRecovery()
    {
        if (string.IsNullOrEmpty(PersistenceId))
        {
            throw new ArgumentException($"{GetType().Name} has no PersistenceId");
        }

        // Both must exist before the first message needs them, and a wrong plug-in id must fail here.
        _ = Journal;
        _ = SnapshotStore;
        if (_phase == Phase.AwaitingPermit)
        {
            Extension.RecoveryPermitter.Tell(RecoveryPermitter.Request.Instance, Self);
        }
    }

    private void ReceiveAwaitingPermit(object message)
    {
        if (message is not RecoveryPermitter.Granted)
        {
            StashInternally(message);
            return;
        }

        _holdsPermit = true;
        _phase = Phase.LoadingSnapshot;
        StartRecoveryTimer(snapshot: true);
        Recovery recovery = Recovery;
        SnapshotStore.Tell(new LoadSnapshot(SnapshotterId, recovery.FromSnapshot, recovery.ToSequenceNr) { ActorInstanceId = _instanceId }, Self);
    }

    private void ReceiveLoadingSnapshot(object message)
    {
        switch (message)
        {
            case LoadSnapshotResult result:
                if (result.Snapshot is { } snapshot)
                {
                    LastSequenceNr = snapshot.Metadata.SequenceNr;
                    SnapshotOffer offer = new(snapshot.Metadata, snapshot.Snapshot);
                    if (!TryRecover(offer, offer))
                    {
                        return;
                    }
                }

                _phase = Phase.Replaying;
                StartRecoveryTimer(snapshot: false);
                Journal.Tell(new ReplayMessages(LastSequenceNr + 1, result.ToSequenceNr, Recovery.ReplayMax, PersistenceId, Self) { ActorInstanceId = _instanceId }, Self);
                break;
            case LoadSnapshotFailed failed:
                FailRecovery(failed.Cause, null);
                break;
            case RecoveryTick { Snapshot: true }:
                FailRecovery(new RecoveryTimedOutException($"{PersistenceId}: no answer from the snapshot store within {RecoveryTimeout.TotalSeconds:0.#} s"), null);
                break;
            case RecoveryTick:
                break;
            default:
                StashInternally(message);
                break;
        }
    }

    private void ReceiveReplaying(object message)
    {
        switch (message)
        {
            case ReplayedMessage replayed:
                _heardSinceTick = true;
                LastSequenceNr = Math.Max(LastSequenceNr, replayed.Persistent.SequenceNr);
                TryRecover(replayed.Persistent.Payload, replayed.Persistent.Payload);
                break;
            case RecoverySuccess success:
                CompleteRecovery(success.HighestSequenceNr);
                break;
            case ReplayMessagesFailure failure:
                FailRecovery(failure.Cause, null);
                break;
            case RecoveryTick { Snapshot: false } when !_heardSinceTick:
                FailRecovery(
                    new RecoveryTimedOutException($"{PersistenceId}: no event from the journal within {RecoveryTimeout.TotalSeconds:0.#} s, highest sequence number seen {LastSequenceNr}"),
                    null);
                break;
            case RecoveryTick:
                _heardSinceTick = false;
                break;
            default:
                StashInternally(message);
                break;
        }
    }

    private void CompleteRecovery(long highestSequenceNr)
    {
        StopRecoveryTimer();
        _sequenceNr = Math.Max(highestSequenceNr, LastSequenceNr);
        LastSequenceNr = _sequenceNr;
        ReturnPermit();
        _phase = Phase.Processing;
        OnReplaySuccess();

        // Events may be persisted from here on; commands still wait behind the ones that are.
        RunAndFinish(() => base.AroundReceive(RecoverBehavior, RecoveryCompleted.Instance));
    }

    private bool TryRecover(object message, object reported)
    {
        try
        {
            base.AroundReceive(RecoverBehavior, message);
            return true;
        }
#pragma warning disable CA1031 // Whatever the recovery handler throws ends the recovery.
        catch (Exception e)
#pragma warning restore CA1031
        {
            FailRecovery(e, reported);
            return false;
        }
    }

    private bool RecoverBehavior(object message) => ReceiveRecover(message);

    private void FailRecovery(Exception reason, object? message)
    {
        StopRecoveryTimer();
        ReturnPermit();
        _phase = Phase.Ended;
        try
        {
            OnRecoveryFailure(reason, message);
        }
        finally
        {
            Context.Stop(Self);
        }
    }

    private TimeSpan RecoveryTimeout => Extension.RecoveryTimeoutOf(JournalPluginId);

    private void StartRecoveryTimer(bool snapshot)
    {
        StopRecoveryTimer();
        _heardSinceTick = false;
        TimeSpan timeout = RecoveryTimeout;
        _recoveryTimer = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(timeout, timeout, Self, new RecoveryTick(snapshot) { ActorInstanceId = _instanceId }, Self);
    }

    private void StopRecoveryTimer()
    {
        _recoveryTimer?.Cancel();
        _recoveryTimer = null;
    }

    private void ReturnPermit()
    {
        if (_holdsPermit)
        {
            _holdsPermit = false;
            Extension.RecoveryPermitter.Tell(RecoveryPermitter.Return.Instance, Self);
        }
    }
}

/// <summary>Checks whether a recovery is still being answered.</summary>
public sealed class RecoveryTick(bool snapshot)
{
    /// <summary>True while the snapshot is awaited, false during the replay.</summary>
    public bool Snapshot { get; } = snapshot;

    internal int ActorInstanceId { get; init; }
}

/// <summary>A recovery was not answered in time.</summary>
public sealed class RecoveryTimedOutException : AkkaException
{
    public RecoveryTimedOutException()
        : this("recovery timed out")
    {
    }

    public RecoveryTimedOutException(string message, Exception? cause = null)
        : base(message, cause!)
    {
    }
}
