using Akka.Actor;
using Akka.Event;
using Akka.Persistence;

namespace AgentMesh.Mesh.Sharding;

/// <summary>
/// An entity whose journal stays short: every so many events its state is saved, only the newest such snapshot is kept, and the events before it are deleted.
/// Whoever asked for an event that could not be journalled is told so.
/// </summary>
/// <typeparam name="TEvent">What all events of the entity are.</typeparam>
public abstract class JournalledEntity<TEvent> : ReceivePersistentActor
    where TEvent : class
{
    private readonly TimeProvider _time;
    private readonly HomeResidents? _residents;
    private IActorRef? _asker;

    /// <param name="journal">Null for the default one of the actor system.</param>
    protected JournalledEntity(string persistenceId, TimeProvider time, int snapshotEvery, HomeJournal? journal = null)
    {
        PersistenceId = persistenceId;
        _residents = journal?.Residents;
        if (journal is not null)
        {
            JournalPluginId = journal.JournalPluginId;
            SnapshotPluginId = journal.SnapshotPluginId;
        }

        _time = time;
        SnapshotEvery = snapshotEvery;
        Recover<TEvent>(Apply);
        Command<SaveSnapshotSuccess>(OnSnapshotSaved);
        Command<SaveSnapshotFailure>(failed => Log.Warning("The snapshot of [{0}] was not saved: {1}", PersistenceId, failed.Cause.Message));
        Command<DeleteMessagesSuccess>(_ => { });
        Command<DeleteMessagesFailure>(_ => { });
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(_ => { });
    }

    public override string PersistenceId { get; }

    /// <summary>Events between two snapshots; more for a state that is long to write.</summary>
    protected int SnapshotEvery { get; set; }

    /// <summary>The number in the journal of the event that is recorded next. No two stored events of an entity share one, also where the ones before were removed.</summary>
    protected long NextNumber => LastSequenceNr + 1;

    /// <summary>To the millisecond, as it is stored and sent: the same before and after a recovery.</summary>
    protected DateTimeOffset Now
    {
        get
        {
            DateTimeOffset now = _time.GetUtcNow();
            return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        }
    }

    /// <summary>What an event means for the state; nothing else, as it runs in recoveries too.</summary>
    protected abstract void Apply(TEvent change);

    /// <summary>The present state, as it is journalled.</summary>
    protected abstract object Snapshot();

    /// <summary>What an asker is told whose event was not journalled; null for nothing.</summary>
    protected virtual object? NotStored(string why) => null;

    /// <summary>The journal refused an event for what it is, and the entity goes on.</summary>
    protected virtual void AfterRejection()
    {
    }

    /// <summary>Journals, then applies, then does what follows.</summary>
    /// <param name="asker">Who is told when it fails.</param>
    protected void Record(TEvent change, IActorRef? asker, Action<TEvent> then)
    {
        _asker = asker;
        Persist(change, stored =>
        {
            _asker = null;
            Apply(stored);
            if (LastSequenceNr % SnapshotEvery == 0)
            {
                SaveSnapshot(Snapshot());
            }

            then(stored);
        });
    }

    protected override void PreStart()
    {
        base.PreStart();
        _residents?.Enter(Self);
    }

    protected override void PostStop()
    {
        _residents?.Leave(Self);
        base.PostStop();
    }

    // The actor stops now. Whether the event is stored is not known; the next life reads it.
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        Log.Error(cause, "An event of [{0}] could not be journalled", PersistenceId);
        TellNotStored(cause);
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        TellNotStored(cause);
        AfterRejection();
    }

    private void TellNotStored(Exception cause)
    {
        if (NotStored(cause.Message) is { } refusal)
        {
            _asker?.Tell(refusal);
        }

        _asker = null;
    }

    private void OnSnapshotSaved(SaveSnapshotSuccess saved)
    {
        DeleteMessages(saved.Metadata.SequenceNr);
        DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
    }
}
