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
        AtomicWrite[] writes = messages.ToArray();
        Exception[] rejections = new Exception[writes.Length];
        Dictionary<string, Batch> batches = new(StringComparer.Ordinal);
        long now = _clock.Now.ToUnixTimeMilliseconds();
        for (int i = 0; i < writes.Length; i++)
        {
            if (!batches.TryGetValue(writes[i].PersistenceId, out Batch batch))
            {
                batches.Add(writes[i].PersistenceId, batch = new Batch(writes[i].LowestSequenceNr - 1));
            }

            rejections[i] = TryAdd(batch, writes[i], now);
        }

        long epoch = _epoch ?? BeginEpoch();
        Task<AppendResult>[] appends = batches
            .Select(b => _lease.Store.AppendAsync(new EventAppend(b.Key, b.Value.Previous, b.Value.Last, b.Value.Events, epoch)))
            .ToArray();
        foreach (AppendResult result in await Task.WhenAll(appends).ConfigureAwait(false))
        {
            if (result.Status != AppendStatus.Stored)
            {
                throw new MeshException(
                    JournalErrors.Fenced,
                    $"another writer has appended: the entity stands at {result.HighestSequence}, epoch {result.Epoch} (this writer has {epoch}); nothing was stored");
            }
        }

        return Array.TrueForAll(rejections, r => r is null) ? null : rejections.ToImmutableList();
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

    private Exception TryAdd(Batch batch, AtomicWrite write, long now)
    {
        int before = batch.Events.Count;
        batch.Last = write.HighestSequenceNr;
        try
        {
            foreach (IPersistentRepresentation e in (IEnumerable<IPersistentRepresentation>)write.Payload)
            {
                (int id, string manifest, byte[] bytes) = _codec.Write(e.Payload is Tagged tagged ? tagged.Payload : e.Payload);
                batch.Events.Add(new EventRecord(e.SequenceNr, id, manifest, bytes, e.WriterGuid, e.Timestamp == 0 ? now : e.Timestamp));
            }

            return null;
        }
#pragma warning disable CA1031 // Serializers of others may throw anything; the event was certainly not stored.
        catch (Exception e)
#pragma warning restore CA1031
        {
            batch.Events.RemoveRange(before, batch.Events.Count - before);
            return e;
        }
    }

    private sealed class Batch(long previous)
    {
        public long Previous { get; } = previous;

        public long Last { get; set; }

        public List<EventRecord> Events { get; } = new();
    }
}
