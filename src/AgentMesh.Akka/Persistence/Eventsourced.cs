using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>
/// The base of persistent actors: state is changed by events, events are stored before they change it, and an actor that starts again reads them back.
/// </summary>
/// <remarks>
/// Phases: waiting for a permit, loading a snapshot, replaying, then handling commands and waiting for the journal in turn
/// (see <see cref="Phase"/>). Everything here runs on the actor's own thread.
/// </remarks>
public abstract partial class Eventsourced : ActorBase, IPersistentIdentity, IPersistenceStash, IPersistenceRecovery
{
    /// <summary>Keeps what belongs to one incarnation only from being returned to the next.</summary>
    public static readonly Func<Envelope, bool> UnstashFilterPredicate = static envelope => envelope.Message is not (IJournalResponse or RecoveryTick);

    private static int _instances;

    private readonly int _instanceId = Interlocked.Increment(ref _instances);
    private readonly string _writerGuid = Guid.NewGuid().ToString();
    private readonly InternalStash _internalStash;
    private IStash _stash;
    private IActorRef? _journal;
    private IActorRef? _snapshotStore;
    private ILoggingAdapter? _log;
    private long _sequenceNr;
    private object? _currentMessage;

    protected Eventsourced()
    {
        Extension = Persistence.Instance.Apply(Context.System);
        _internalStash = new InternalStash(StashFactory.CreateStash<Eventsourced>(Context), Extension.InternalStashCapacity);
        _stash = new CommandStash(this, _internalStash);
    }

    /// <summary>Names the stream of events; the same in every incarnation of the entity and of nothing else.</summary>
    public abstract string PersistenceId { get; }

    public virtual Recovery Recovery => Recovery.Default;

    public virtual IStashOverflowStrategy InternalStashOverflowStrategy => Extension.DefaultInternalStashOverflowStrategy;

    /// <summary>Configuration path of the journal; empty for the default one. Set it in the constructor.</summary>
    public string JournalPluginId { get; protected set; } = string.Empty;

    /// <summary>Configuration path of the snapshot store; empty for the default one. Set it in the constructor.</summary>
    public string SnapshotPluginId { get; protected set; } = string.Empty;

    public string SnapshotterId => PersistenceId;

    public IActorRef Journal => _journal ??= Extension.JournalFor(JournalPluginId);

    public IActorRef SnapshotStore => _snapshotStore ??= Extension.SnapshotStoreFor(SnapshotPluginId);

    /// <summary>For commands; assigning it has no effect.</summary>
    public IStash Stash
    {
        get => _stash;
        set => _ = value;
    }

    public bool IsRecovering => _phase is Phase.AwaitingPermit or Phase.LoadingSnapshot or Phase.Replaying;

    public bool IsRecoveryFinished => !IsRecovering;

    /// <summary>Sequence number of the last event that was replayed or stored.</summary>
    public long LastSequenceNr { get; private set; }

    public long SnapshotSequenceNr => LastSequenceNr;

    protected PersistenceExtension Extension { get; }

    protected virtual ILoggingAdapter Log => _log ??= Context.GetLogger();

    /// <summary>Stores an event, then calls the handler with it; commands wait until then.</summary>
    /// <exception cref="InvalidOperationException">During a replay.</exception>
    public void Persist<TEvent>(TEvent @event, Action<TEvent> handler)
    {
        RequireRecovered();
        _stashingInvocations++;
        _invocations.AddLast(new StashingHandlerInvocation(@event!, o => handler((TEvent)o)));
        _eventBatch.Add(new AtomicWrite(NextEvent(@event!)));
    }

    /// <summary>Stores events together or not at all, then calls the handler with each; commands wait until then.</summary>
    public void PersistAll<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler)
    {
        RequireRecovered();
        AddAll(events, e =>
        {
            _stashingInvocations++;
            return new StashingHandlerInvocation(e!, o => handler((TEvent)o));
        });
    }

    /// <summary>Stores an event, then calls the handler with it; commands are handled meanwhile.</summary>
    public void PersistAsync<TEvent>(TEvent @event, Action<TEvent> handler)
    {
        RequireRecovered();
        _invocations.AddLast(new AsyncHandlerInvocation(@event!, o => handler((TEvent)o)));
        _eventBatch.Add(new AtomicWrite(NextEvent(@event!)));
    }

    /// <summary>Stores events together or not at all, then calls the handler with each; commands are handled meanwhile.</summary>
    public void PersistAllAsync<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler)
    {
        RequireRecovered();
        AddAll(events, e => new AsyncHandlerInvocation(e!, o => handler((TEvent)o)));
    }

    /// <summary>Calls the handler after those of all events that are on their way; at once when there are none. Nothing is stored.</summary>
    public void DeferAsync<TEvent>(TEvent evt, Action<TEvent> handler)
    {
        RequireRecovered();
        if (_invocations.Count == 0)
        {
            handler(evt);
            return;
        }

        _invocations.AddLast(new AsyncHandlerInvocation(evt!, o => handler((TEvent)o)));
        _eventBatch.Add(new NonPersistentMessage(evt!, Sender));
    }

    /// <summary>Deletes events up to and including the number; answered by <see cref="DeleteMessagesSuccess"/> or <see cref="DeleteMessagesFailure"/>.</summary>
    public void DeleteMessages(long toSequenceNr) => Journal.Tell(new DeleteMessagesTo(PersistenceId, toSequenceNr, Self), Self);

    public void LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr) =>
        SnapshotStore.Tell(new LoadSnapshot(persistenceId, criteria, toSequenceNr), Self);

    /// <summary>Saves a snapshot under <see cref="SnapshotSequenceNr"/>; answered by <see cref="SaveSnapshotSuccess"/> or <see cref="SaveSnapshotFailure"/>.</summary>
    public void SaveSnapshot(object snapshot) =>
        SnapshotStore.Tell(new SaveSnapshot(new SnapshotMetadata(SnapshotterId, SnapshotSequenceNr), snapshot), Self);

    public void DeleteSnapshot(long sequenceNr) => SnapshotStore.Tell(new DeleteSnapshot(new SnapshotMetadata(SnapshotterId, sequenceNr)), Self);

    public void DeleteSnapshots(SnapshotSelectionCriteria criteria) => SnapshotStore.Tell(new DeleteSnapshots(SnapshotterId, criteria), Self);

    internal Envelope CurrentEnvelope() => new(_currentMessage!, Sender);

    /// <summary>Handles a snapshot offer, a replayed event or <see cref="RecoveryCompleted"/>.</summary>
    protected abstract bool ReceiveRecover(object message);

    protected abstract bool ReceiveCommand(object message);

    /// <summary>Called when a recovery failed; the actor stops afterwards.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="message">The event that could not be handled; null when the journal or snapshot store failed.</param>
    protected virtual void OnRecoveryFailure(Exception reason, object? message = null)
    {
        string what = message is null ? string.Empty : $" at event {message.GetType().Name}";
        Log.Error(reason, "Recovery of {0} failed{1} after sequence number {2}", PersistenceId, what, LastSequenceNr);
    }

    /// <summary>Called when it is not known whether an event was stored; the actor stops afterwards.</summary>
    protected virtual void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        Log.Error(cause, "Failed to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}]", @event.GetType(), sequenceNr, PersistenceId);

    /// <summary>Called when an event was certainly not stored; the actor goes on without its handler.</summary>
    protected virtual void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        Log.Error(cause, "Rejected to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}]: {3}", @event.GetType(), sequenceNr, PersistenceId, cause.Message);

    /// <summary>Called after the last replayed event.</summary>
    protected virtual void OnReplaySuccess()
    {
    }

    protected override void Unhandled(object message)
    {
        switch (message)
        {
            case RecoveryCompleted or SnapshotOffer or SaveSnapshotSuccess or DeleteMessagesSuccess or DeleteSnapshotSuccess or DeleteSnapshotsSuccess:
                break;
            case SaveSnapshotFailure m:
                Log.Warning("Failed to save snapshot {0}: {1}", m.Metadata, m.Cause.Message);
                break;
            case DeleteSnapshotFailure m:
                Log.Warning("Failed to delete snapshot {0}: {1}", m.Metadata, m.Cause.Message);
                break;
            case DeleteSnapshotsFailure m:
                Log.Warning("Failed to delete snapshots {0}: {1}", m.Criteria, m.Cause.Message);
                break;
            case DeleteMessagesFailure m:
                Log.Warning("Failed to delete events of {0} to {1}: {2}", PersistenceId, m.ToSequenceNr, m.Cause.Message);
                break;
            default:
                base.Unhandled(message);
                break;
        }
    }

    private void AddAll<TEvent>(IEnumerable<TEvent> events, Func<TEvent, IPendingHandlerInvocation> invocation)
    {
        ImmutableArray<IPersistentRepresentation>.Builder all = ImmutableArray.CreateBuilder<IPersistentRepresentation>();
        foreach (TEvent e in events)
        {
            _invocations.AddLast(invocation(e));
            all.Add(NextEvent(e!));
        }

        if (all.Count > 0)
        {
            _eventBatch.Add(new AtomicWrite(all.ToImmutable()));
        }
    }

    private Persistent NextEvent(object e) => new(e, ++_sequenceNr, PersistenceId, sender: Sender, writerGuid: _writerGuid);

    private void RequireRecovered()
    {
        if (IsRecovering)
        {
            throw new InvalidOperationException($"{PersistenceId} cannot persist during its replay; events can be persisted from RecoveryCompleted on");
        }
    }
}
