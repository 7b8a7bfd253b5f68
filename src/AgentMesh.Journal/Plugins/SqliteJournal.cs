// The signatures that are overridden carry no nullability, so that they fit both engines.
#nullable disable annotations

using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Journal.Plugins;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace AgentMesh.Journal;

/// <summary>
/// The Akka.Persistence journal on a <see cref="SqliteEventStore"/>. Events go through the actor system's serializers and are stored with serializer id and manifest.
/// An event that cannot be serialized is rejected, and its number stays used; everything else that goes wrong fails the write, so the actor stops and recovers what is stored.
/// Tags of <see cref="Tagged"/> and manifests of event adapters are not stored.
/// </summary>
public sealed class SqliteJournal : AsyncWriteJournal
{
    private readonly EventStoreLease _lease;
    private readonly PayloadCodec _codec;
    private readonly IScheduler _clock;
    private long? _epoch;

    /// <param name="config">See <see cref="SqlitePersistence.Hocon"/>.</param>
    /// <exception cref="MeshException">As <see cref="SqliteEventStore.Open"/>.</exception>
    public SqliteJournal(Config config)
    {
        _lease = EventStoreRegistry.Acquire(SqlitePersistence.Read(config), TimeProvider.System);
        _codec = new PayloadCodec((ExtendedActorSystem)Context.System);
        _clock = Context.System.Scheduler;
        try
        {
            BeginEpoch();
        }
        catch (MeshException)
        {
            // A full or slow disk. Recoveries need none, and the first write tries again.
        }
    }

    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        await _lease.Store.ReplayAsync(persistenceId, fromSequenceNr, toSequenceNr, max, e => recoveryCallback(new Persistent(
            _codec.Read(e.SerializerId, e.Manifest, e.Payload), e.SequenceNr, persistenceId, string.Empty, false, ActorRefs.NoSender, e.WriterGuid, e.Timestamp))).ConfigureAwait(false);

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => _lease.Store.ReadHighestSequenceAsync(persistenceId);

    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        // Everything up to the first await runs on the journal's own thread, where serializers belong.
        SerializedWrites writes = SerializedWrites.Of(messages, _codec, _clock.Now.ToUnixTimeMilliseconds());
        long epoch = _epoch ?? BeginEpoch();
        Task<AppendResult>[] appends = writes.Appends.Select(append => _lease.Store.AppendAsync(append with { Epoch = epoch })).ToArray();
        foreach (AppendResult result in await Task.WhenAll(appends).ConfigureAwait(false))
        {
            if (result.Status != AppendStatus.Stored)
            {
                throw new MeshException(
                    JournalErrors.Fenced,
                    $"another writer has appended: the entity stands at {result.HighestSequence}, epoch {result.Epoch} (this writer has {epoch}); nothing was stored");
            }
        }

        return writes.Rejections;
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr) => _lease.Store.DeleteToAsync(persistenceId, toSequenceNr);

    protected override void PostStop()
    {
        base.PostStop();
        _lease.Dispose();
    }

    /// <summary>
    /// Each start of the journal is a new writer: what an earlier actor system still has on its way cannot follow our writes. Waited for on the journal's
    /// own thread: writes that had to wait for it each by itself could overtake one another.
    /// </summary>
    private long BeginEpoch()
    {
        long epoch = _lease.Store.BeginEpochAsync().GetAwaiter().GetResult();
        _epoch = epoch;
        return epoch;
    }
}
