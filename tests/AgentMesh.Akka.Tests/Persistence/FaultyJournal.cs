using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.Persistence.Snapshot;

namespace AgentMesh.Tests.Persistence;

/// <summary>What a test makes its journal do wrong; found by the name in the configuration.</summary>
internal sealed class Faults
{
    public static readonly ConcurrentDictionary<string, Faults> ByName = new();

    /// <summary>Runs before each write; a task that fails fails the write, one that waits delays it.</summary>
    public Func<IReadOnlyList<object>, Task>? BeforeWrite { get; set; }

    /// <summary>Runs after each write that was stored.</summary>
    public Func<Task>? AfterWrite { get; set; }

    /// <summary>Events that are rejected.</summary>
    public Func<object, bool>? Reject { get; set; }

    /// <summary>Runs before the highest number is read, which is how each recovery begins.</summary>
    public Func<Task>? BeforeReadHighest { get; set; }

    /// <summary>Runs before each replay that has events to return.</summary>
    public Func<string, Task>? BeforeReplay { get; set; }

    /// <summary>Runs after each event of a replay, which waits for it.</summary>
    public Action<object>? AfterReplayed { get; set; }

    public Func<Task>? BeforeSnapshotLoad { get; set; }

    /// <summary>Sizes of the batches that arrived, in atomic writes.</summary>
    public ConcurrentQueue<int> Batches { get; } = [];
}

internal sealed class FaultyJournal(Config config) : MemoryJournal
{
    private readonly Faults _faults = Faults.ByName[config.GetString("faults")];

    public override async Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback)
    {
        if (_faults.BeforeReplay is { } before)
        {
            await before(persistenceId);
        }

        await base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, replayed =>
        {
            recoveryCallback(replayed);
            _faults.AfterReplayed?.Invoke(replayed.Payload);
        });
    }

    public override async Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr)
    {
        if (_faults.BeforeReadHighest is { } before)
        {
            await before();
        }

        return await base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr);
    }

    protected override async Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        AtomicWrite[] writes = [.. messages];
        object[] events = [.. writes.SelectMany(w => (IEnumerable<IPersistentRepresentation>)w.Payload).Select(p => p.Payload)];
        _faults.Batches.Enqueue(writes.Length);
        if (_faults.BeforeWrite is { } before)
        {
            await before(events);
        }

        Exception?[] rejections =
            [.. writes.Select(w => ((IEnumerable<IPersistentRepresentation>)w.Payload).Any(p => _faults.Reject?.Invoke(p.Payload) == true) ? new InvalidOperationException("not like this") : null)];
        await base.WriteMessagesAsync(writes.Where((_, i) => rejections[i] is null));
        if (_faults.AfterWrite is { } after)
        {
            await after();
        }

        return rejections.All(r => r is null) ? null : rejections.Select(r => r!).ToImmutableList();
    }
}

internal sealed class FaultySnapshotStore(Config config) : MemorySnapshotStore
{
    private readonly Faults _faults = Faults.ByName[config.GetString("faults")];

    protected override async Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        if (_faults.BeforeSnapshotLoad is { } before)
        {
            await before();
        }

        return await base.LoadAsync(persistenceId, criteria);
    }
}
