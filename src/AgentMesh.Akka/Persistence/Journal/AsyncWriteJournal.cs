using System.Collections.Immutable;
using Akka.Actor;
using Akka.Pattern;

namespace Akka.Persistence.Journal;

/// <summary>What a recovery asks of a journal.</summary>
public interface IAsyncRecovery
{
    /// <summary>Calls back for each event with a sequence number between the inclusive bounds, ascending, at most <paramref name="max"/> of them.</summary>
    Task ReplayMessagesAsync(IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback);

    /// <summary>The highest number ever used, deletion included; 0 for none. <paramref name="fromSequenceNr"/> is a hint where to start to look.</summary>
    Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);
}

/// <summary>
/// The base of journals. A plug-in implements four calls; none of them may block. Writes of different actors overlap; an actor gets its answers in the
/// order of its requests.
/// </summary>
public abstract class AsyncWriteJournal : WriteJournalBase, IAsyncRecovery
{
    /// <summary>Whether <see cref="DeleteMessagesTo"/> and replays are published on the event stream; off.</summary>
    protected readonly bool CanPublish;

    private readonly WriteAnswers _answers = new();
    private readonly CircuitBreaker _writes;
    private readonly CircuitBreaker _recoveries;

    protected AsyncWriteJournal()
    {
        CanPublish = Extension.Settings.Internal.PublishPluginCommands;
        _writes = Plugin.CreateBreaker();

        // A journal that refuses writes may still be read, and the other way round.
        _recoveries = Plugin.CreateBreaker();
    }

    public abstract Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback);

    public abstract Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);

    /// <summary>
    /// Stores each atomic write completely or not at all. The result is null when all were stored, else has an entry for each: null when it was stored, the reason when
    /// it was certainly not stored and the next ones can be. Where anything is uncertain the task fails.
    /// </summary>
    protected abstract Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages);

    /// <summary>Deletes events up to and including the number; the highest sequence number is kept.</summary>
    protected abstract Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr);

    protected sealed override bool Receive(object message) => ReceiveWriteJournal(message) || ReceivePluginInternal(message);

    protected bool ReceiveWriteJournal(object message)
    {
        switch (message)
        {
            case WriteMessages write:
                Write(write);
                return true;
            case ReplayMessages replay:
                _ = ReplayAsync(replay, Context);
                return true;
            case DeleteMessagesTo delete:
                _ = DeleteAsync(delete);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Handles messages of the plug-in's own.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    /// <summary>The cause inside of an aggregate with one cause.</summary>
    protected static Exception TryUnwrapException(Exception e) =>
        e is AggregateException aggregate && aggregate.Flatten() is { InnerExceptions.Count: 1 } flat ? flat.InnerExceptions[0] : e;

    private void Write(WriteMessages request)
    {
        Task<IImmutableList<Exception>?> writing;
        try
        {
            AtomicWrite[] writes = [.. PreparePersistentBatch(request.Messages)];
            writing = writes.Length == 0 ? Task.FromResult<IImmutableList<Exception>?>(null) : _writes.WithCircuitBreaker(() => WriteMessagesAsync(writes));
        }
#pragma warning disable CA1031 // Whatever an event adapter throws fails the batch, not the journal.
        catch (Exception e)
#pragma warning restore CA1031
        {
            writing = Task.FromException<IImmutableList<Exception>?>(e);
        }

        _answers.Add(request, writing);
    }

    private async Task ReplayAsync(ReplayMessages request, IActorContext context)
    {
        IActorRef actor = request.PersistentActor;
        try
        {
            long highest = await _recoveries.WithCircuitBreaker(() => ReadHighestSequenceNrAsync(request.PersistenceId, Math.Max(0, request.FromSequenceNr - 1))).ConfigureAwait(false);
            long to = Math.Min(request.ToSequenceNr, highest);
            if (request.FromSequenceNr <= to && request.Max > 0)
            {
                await ReplayMessagesAsync(context, request.PersistenceId, request.FromSequenceNr, to, request.Max, persistent =>
                {
                    if (!persistent.IsDeleted)
                    {
                        foreach (IPersistentRepresentation adapted in AdaptFromJournal(persistent))
                        {
                            actor.Tell(new ReplayedMessage(adapted) { ActorInstanceId = request.ActorInstanceId }, ActorRefs.NoSender);
                        }
                    }
                }).ConfigureAwait(false);
            }

            actor.Tell(new RecoverySuccess(highest) { ActorInstanceId = request.ActorInstanceId }, ActorRefs.NoSender);
        }
#pragma warning disable CA1031 // The actor that recovers decides what follows.
        catch (Exception e)
#pragma warning restore CA1031
        {
            actor.Tell(new ReplayMessagesFailure(TryUnwrapException(e)) { ActorInstanceId = request.ActorInstanceId }, ActorRefs.NoSender);
        }
    }

    private async Task DeleteAsync(DeleteMessagesTo request)
    {
        try
        {
            await _writes.WithCircuitBreaker(async () =>
            {
                await DeleteMessagesToAsync(request.PersistenceId, request.ToSequenceNr).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
            request.PersistentActor.Tell(new DeleteMessagesSuccess(request.ToSequenceNr), ActorRefs.NoSender);
        }
#pragma warning disable CA1031 // The actor that asked decides what follows.
        catch (Exception e)
#pragma warning restore CA1031
        {
            request.PersistentActor.Tell(new DeleteMessagesFailure(TryUnwrapException(e), request.ToSequenceNr), ActorRefs.NoSender);
        }
    }
}
