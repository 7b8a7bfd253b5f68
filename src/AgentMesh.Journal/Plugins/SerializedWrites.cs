// The parts of the persistence API that this is made of carry no nullability, so that they fit both engines.
#nullable disable annotations

using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace AgentMesh.Journal.Plugins;

/// <summary>
/// The atomic writes of one request as appends, one for each persistence id. An event that cannot be serialized rejects its whole atomic write, and the
/// numbers of that write stay used.
/// </summary>
internal sealed class SerializedWrites
{
    private SerializedWrites(IReadOnlyList<EventAppend> appends, IImmutableList<Exception> rejections)
    {
        Appends = appends;
        Rejections = rejections;
    }

    /// <summary>Without an epoch.</summary>
    public IReadOnlyList<EventAppend> Appends { get; }

    /// <summary>One entry for each atomic write, null for one that is to be stored; null when all are.</summary>
    public IImmutableList<Exception> Rejections { get; }

    /// <summary>Runs on the journal's own thread, where serializers belong.</summary>
    /// <param name="now">Milliseconds since 1970-01-01 UTC, for events that carry no time.</param>
    public static SerializedWrites Of(IEnumerable<AtomicWrite> messages, PayloadCodec codec, long now)
    {
        AtomicWrite[] writes = messages.ToArray();
        Exception[] rejections = new Exception[writes.Length];
        Dictionary<string, Batch> batches = new(StringComparer.Ordinal);
        for (int i = 0; i < writes.Length; i++)
        {
            if (!batches.TryGetValue(writes[i].PersistenceId, out Batch batch))
            {
                batches.Add(writes[i].PersistenceId, batch = new Batch(writes[i].LowestSequenceNr - 1));
            }

            rejections[i] = TryAdd(batch, writes[i], codec, now);
        }

        return new SerializedWrites(
            batches.Select(each => new EventAppend(each.Key, each.Value.Previous, each.Value.Last, each.Value.Events, 0)).ToArray(),
            Array.TrueForAll(rejections, rejection => rejection is null) ? null : rejections.ToImmutableList());
    }

    private static Exception TryAdd(Batch batch, AtomicWrite write, PayloadCodec codec, long now)
    {
        int before = batch.Events.Count;
        batch.Last = write.HighestSequenceNr;
        try
        {
            foreach (IPersistentRepresentation e in (IEnumerable<IPersistentRepresentation>)write.Payload)
            {
                (int id, string manifest, byte[] bytes) = codec.Write(e.Payload is Tagged tagged ? tagged.Payload : e.Payload);
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
