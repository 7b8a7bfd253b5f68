using Akka.Actor;
using Akka.Pattern;

namespace Akka.Persistence.Snapshot;

/// <summary>The base of snapshot stores. A plug-in implements four calls; none of them may block.</summary>
public abstract class SnapshotStore : ActorBase
{
    private readonly CircuitBreaker _breaker;
    private readonly TimeProvider _clock;

    protected SnapshotStore()
    {
        PersistenceExtension extension = Persistence.Instance.Apply(Context.System);
        _breaker = extension.PluginOf(Self).CreateBreaker();
        _clock = extension.Clock;
    }

    /// <summary>The snapshot with the highest sequence number that matches; null when none does.</summary>
    protected abstract Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    protected abstract Task SaveAsync(SnapshotMetadata metadata, object snapshot);

    /// <summary>Deletes the snapshot with this number; a timestamp other than <see cref="DateTime.MinValue"/> must match too.</summary>
    protected abstract Task DeleteAsync(SnapshotMetadata metadata);

    protected abstract Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    protected sealed override bool Receive(object message)
    {
        IActorRef sender = Sender;
        switch (message)
        {
            case LoadSnapshot load when load.Criteria.Equals(SnapshotSelectionCriteria.None):
                sender.Tell(new LoadSnapshotResult(null, load.ToSequenceNr) { ActorInstanceId = load.ActorInstanceId }, Self);
                return true;
            case LoadSnapshot load:
                Answer(
                    sender,
                    () => LoadAsync(load.PersistenceId, load.Criteria.Limit(load.ToSequenceNr)),
                    found => new LoadSnapshotResult(found, load.ToSequenceNr) { ActorInstanceId = load.ActorInstanceId },
                    e => new LoadSnapshotFailed(e) { ActorInstanceId = load.ActorInstanceId });
                return true;
            case SaveSnapshot save:
                SnapshotMetadata metadata = new(save.Metadata.PersistenceId, save.Metadata.SequenceNr, _clock.GetUtcNow().UtcDateTime);
                Answer(sender, Then(() => SaveAsync(metadata, save.Snapshot)), _ => new SaveSnapshotSuccess(metadata), e => new SaveSnapshotFailure(metadata, e));
                return true;
            case DeleteSnapshot delete:
                Answer(sender, Then(() => DeleteAsync(delete.Metadata)), _ => new DeleteSnapshotSuccess(delete.Metadata), e => new DeleteSnapshotFailure(delete.Metadata, e));
                return true;
            case DeleteSnapshots delete:
                Answer(
                    sender,
                    Then(() => DeleteAsync(delete.PersistenceId, delete.Criteria)),
                    _ => new DeleteSnapshotsSuccess(delete.Criteria),
                    e => new DeleteSnapshotsFailure(delete.Criteria, e));
                return true;
            default:
                return ReceivePluginInternal(message);
        }
    }

    /// <summary>Handles messages of the plug-in's own.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    private void Answer<T>(IActorRef to, Func<Task<T>> call, Func<T, object> success, Func<Exception, object> failure)
    {
        IActorRef self = Self;
        _ = Run();

        async Task Run()
        {
            object answer;
            try
            {
                answer = success(await _breaker.WithCircuitBreaker(call).ConfigureAwait(false));
            }
#pragma warning disable CA1031 // The actor that asked decides what follows.
            catch (Exception e)
#pragma warning restore CA1031
            {
                answer = failure(e);
            }

            to.Tell(answer, self);
        }
    }

    private static Func<Task<bool>> Then(Func<Task> call) => async () =>
    {
        await call().ConfigureAwait(false);
        return true;
    };
}
