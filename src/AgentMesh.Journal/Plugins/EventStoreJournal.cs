// The signatures that are overridden carry no nullability, so that they fit both engines.
#nullable disable annotations

using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Journal.Plugins;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace AgentMesh.Journal;

/// <summary>
/// An Akka.Persistence journal on an event store. Events go through the actor system's serializers and are stored with serializer id and manifest.
/// An event that cannot be serialized is rejected, and its number stays used; everything else that goes wrong fails the write, so the actor stops and recovers what is stored.
/// Tags of <see cref="Tagged"/> and manifests of event adapters are not stored.
/// </summary>
public abstract class EventStoreJournal<TStore> : AsyncWriteJournal
    where TStore : IEventStore
{
    private readonly StoreLease<TStore> _lease;
    private readonly PayloadCodec _codec;
    private readonly IScheduler _clock;

    private protected EventStoreJournal(StoreLease<TStore> lease)
    {
        _lease = lease;
        _codec = new PayloadCodec((ExtendedActorSystem)Context.System);
        _clock = Context.System.Scheduler;
    }

    private protected TStore Store => _lease.Store;

    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        await Store.ReplayAsync(persistenceId, fromSequenceNr, toSequenceNr, max, e => recoveryCallback(new Persistent(
            _codec.Read(e.SerializerId, e.Manifest, e.Payload), e.SequenceNr, persistenceId, string.Empty, false, ActorRefs.NoSender, e.WriterGuid, e.Timestamp))).ConfigureAwait(false);

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => Store.ReadHighestSequenceAsync(persistenceId);

    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        // Everything up to the first await runs on the journal's own thread, where serializers belong.
        SerializedWrites writes = SerializedWrites.Of(messages, _codec, _clock.Now.ToUnixTimeMilliseconds());
        long epoch = WriteEpoch();
        Task<AppendResult>[] appends = writes.Appends.Select(append => Store.AppendAsync(append with { Epoch = epoch })).ToArray();
        foreach (AppendResult result in await Task.WhenAll(appends).ConfigureAwait(false))
        {
            if (result.Status != AppendStatus.Stored)
            {
                throw new MeshException(JournalErrors.Fenced, $"{OvertakenBy(epoch)}: the entity stands at {result.HighestSequence}, epoch {result.Epoch}; nothing was stored");
            }
        }

        return writes.Rejections;
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr) => Store.DeleteToAsync(persistenceId, toSequenceNr);

    protected override void PostStop()
    {
        base.PostStop();
        _lease.Dispose();
    }

    /// <summary>What the writes of now are made under. Called on the journal's own thread; throws where there is none.</summary>
    private protected abstract long WriteEpoch();

    /// <summary>Who has written instead, in words.</summary>
    private protected abstract string OvertakenBy(long epoch);
}
