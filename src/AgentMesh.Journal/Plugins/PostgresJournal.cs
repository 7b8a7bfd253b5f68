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
/// The Akka.Persistence journal of a pool. A recovery takes the shard of its entity before it reads, and waits while another member holds it; a write of
/// a member that has lost the shard fails, so the actor stops. Otherwise as <see cref="SqliteJournal"/>.
/// </summary>
public sealed class PostgresJournal : AsyncWriteJournal
{
    private readonly PostgresStoreLease _lease;
    private readonly PayloadCodec _codec;
    private readonly IScheduler _clock;

    /// <param name="config">See <see cref="PostgresPersistence.Hocon"/>.</param>
    /// <exception cref="MeshException"><c>AM0454</c>: the pool is not open in this process.</exception>
    public PostgresJournal(Config config)
    {
        _lease = PostgresPersistence.Acquire(config, Context.System);
        _codec = new PayloadCodec((ExtendedActorSystem)Context.System);
        _clock = Context.System.Scheduler;
    }

    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        await _lease.Store.ReplayAsync(persistenceId, fromSequenceNr, toSequenceNr, max, e => recoveryCallback(new Persistent(
            _codec.Read(e.SerializerId, e.Manifest, e.Payload), e.SequenceNr, persistenceId, string.Empty, false, ActorRefs.NoSender, e.WriterGuid, e.Timestamp))).ConfigureAwait(false);

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => _lease.Store.ReadHighestSequenceAsync(persistenceId);

    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        SerializedWrites writes = SerializedWrites.Of(messages, _codec, _clock.Now.ToUnixTimeMilliseconds());
        foreach (AppendResult result in await Task.WhenAll(writes.Appends.Select(_lease.Store.AppendAsync)).ConfigureAwait(false))
        {
            if (result.Status != AppendStatus.Stored)
            {
                throw new MeshException(
                    JournalErrors.Fenced, $"another member of the pool has appended or taken the shard: the entity stands at {result.HighestSequence}, epoch {result.Epoch}; nothing was stored");
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
}
