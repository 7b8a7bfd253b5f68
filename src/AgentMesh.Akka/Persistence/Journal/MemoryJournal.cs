using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>Keeps events in memory, for tests and for actors whose events need not outlive the actor system.</summary>
public class MemoryJournal : AsyncWriteJournal
{
    private readonly ConcurrentDictionary<string, long> _highest = new(StringComparer.Ordinal);

    /// <summary>Events by persistence id, ascending.</summary>
    protected virtual ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> Messages { get; } = new(StringComparer.Ordinal);

    /// <summary>The highest number of each persistence id, which outlives the deletion of its events.</summary>
    internal virtual ConcurrentDictionary<string, long> Highest => _highest;

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback)
    {
        foreach (IPersistentRepresentation persistent in Read(persistenceId, fromSequenceNr, toSequenceNr, max))
        {
            recoveryCallback(persistent);
        }

        return Task.CompletedTask;
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => Task.FromResult(HighestSequenceNr(persistenceId));

    public IDictionary<string, LinkedList<IPersistentRepresentation>> Add(IPersistentRepresentation persistent)
    {
        LinkedList<IPersistentRepresentation> events = Messages.GetOrAdd(persistent.PersistenceId, static _ => new LinkedList<IPersistentRepresentation>());
        lock (events)
        {
            events.AddLast(persistent);
            Highest[persistent.PersistenceId] = Math.Max(persistent.SequenceNr, HighestSequenceNr(persistent.PersistenceId));
        }

        return Messages;
    }

    public IDictionary<string, LinkedList<IPersistentRepresentation>> Update(string pid, long seqNr, Func<IPersistentRepresentation, IPersistentRepresentation> updater)
    {
        if (Messages.TryGetValue(pid, out LinkedList<IPersistentRepresentation>? events))
        {
            lock (events)
            {
                for (LinkedListNode<IPersistentRepresentation>? node = events.First; node is not null; node = node.Next)
                {
                    if (node.Value.SequenceNr == seqNr)
                    {
                        node.Value = updater(node.Value);
                    }
                }
            }
        }

        return Messages;
    }

    public IDictionary<string, LinkedList<IPersistentRepresentation>> Delete(string pid, long seqNr)
    {
        if (Messages.TryGetValue(pid, out LinkedList<IPersistentRepresentation>? events))
        {
            lock (events)
            {
                while (events.First is { } first && first.Value.SequenceNr <= seqNr)
                {
                    events.RemoveFirst();
                }
            }
        }

        return Messages;
    }

    public IEnumerable<IPersistentRepresentation> Read(string pid, long fromSeqNr, long toSeqNr, long max)
    {
        if (!Messages.TryGetValue(pid, out LinkedList<IPersistentRepresentation>? events))
        {
            return [];
        }

        lock (events)
        {
            return [.. events.Where(e => e.SequenceNr >= fromSeqNr && e.SequenceNr <= toSeqNr).Take((int)Math.Min(max, int.MaxValue))];
        }
    }

    public long HighestSequenceNr(string pid) => Highest.GetValueOrDefault(pid);

    protected override Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        foreach (AtomicWrite write in messages)
        {
            foreach (IPersistentRepresentation e in write.Events)
            {
                Add(e.Payload is Tagged tagged ? e.WithPayload(tagged.Payload) : e);
            }
        }

        return Task.FromResult<IImmutableList<Exception>?>(null);
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        Delete(persistenceId, toSequenceNr);
        return Task.CompletedTask;
    }

    protected override bool ReceivePluginInternal(object message) => false;
}

/// <summary>A memory journal that all actor systems of the process share.</summary>
public class SharedMemoryJournal : MemoryJournal
{
    private static readonly ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> SharedMessages = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, long> SharedHighest = new(StringComparer.Ordinal);

    protected override ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> Messages => SharedMessages;

    internal override ConcurrentDictionary<string, long> Highest => SharedHighest;
}
