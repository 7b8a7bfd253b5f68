using System.Collections.Immutable;
using AgentMesh.Mesh.Contracts;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.Persistence.Snapshot;

namespace Simulation.Engine;

/// <summary>Events in the bytes of their contracts on a <see cref="SimDisk"/>.</summary>
public sealed class SimJournal : AsyncWriteJournal
{
    private readonly SimMachine _machine;
    private readonly MeshSerializer _serializer;
    private readonly SimDisk _disk;
    private readonly long _epoch;

    public SimJournal(Config config)
    {
        _machine = SimMachine.Find(config.GetString("machine", ""));
        _serializer = new MeshSerializer((ExtendedActorSystem)Context.System);
        _disk = _machine.Disk;
        _epoch = _disk.NextEpoch();
    }

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback)
    {
        _machine.Loop.Note($"{persistenceId} is read");
        foreach (StoredEvent stored in _disk.Read(persistenceId, fromSequenceNr, toSequenceNr, max))
        {
            recoveryCallback(new Persistent(_serializer.FromBinary(stored.Bytes, stored.Manifest), stored.Sequence, persistenceId, stored.Manifest));
        }

        return Task.CompletedTask;
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => Task.FromResult(_disk.Highest(persistenceId));

    protected override Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        if (_disk.Mood == DiskMood.Refuses)
        {
            return Task.FromException<IImmutableList<Exception>?>(new IOException("the disk is full"));
        }

        foreach (IPersistentRepresentation each in messages.SelectMany(write => (IEnumerable<IPersistentRepresentation>)write.Payload))
        {
            string manifest = _serializer.Manifest(each.Payload);
            if (!_disk.TryStore(_epoch, new StoredEvent(each.PersistenceId, each.SequenceNr, manifest, _serializer.ToBinary(each.Payload))))
            {
                return Task.FromException<IImmutableList<Exception>?>(new IOException("a later journal has written here"));
            }

            _machine.Loop.Note($"{each.PersistenceId} {each.SequenceNr} {manifest}");
        }

        return _disk.Mood switch
        {
            DiskMood.LosesAnswers => Task.FromException<IImmutableList<Exception>?>(new IOException("the answer was lost")),
            DiskMood.IsSlow => LaterAsync(_machine.Loop.Between(0.1, 4)),
            _ => Task.FromResult<IImmutableList<Exception>?>(null),
        };
    }

    private Task<IImmutableList<Exception>?> LaterAsync(TimeSpan delay)
    {
        var answer = new TaskCompletionSource<IImmutableList<Exception>?>();
        _machine.Loop.After(delay, _machine.Process, () => answer.TrySetResult(null));
        return answer.Task;
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        _disk.Delete(persistenceId, toSequenceNr);
        return Task.CompletedTask;
    }
}

public sealed class SimSnapshots : SnapshotStore
{
    private readonly SimMachine _machine;
    private readonly SimDisk _disk;
    private readonly MeshSerializer _serializer;

    public SimSnapshots(Config config)
    {
        _machine = SimMachine.Find(config.GetString("machine", ""));
        _disk = _machine.Disk;
        _serializer = new MeshSerializer((ExtendedActorSystem)Context.System);
    }

    protected override Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        (SnapshotMetadata Metadata, string Manifest, byte[] Bytes)[] found =
            [.. _disk.Snapshots.Where(each => each.Metadata.PersistenceId == persistenceId && Matches(criteria, each.Metadata)).OrderBy(each => each.Metadata.SequenceNr)];
        return Task.FromResult(found is [.., { } last] ? new SelectedSnapshot(last.Metadata, _serializer.FromBinary(last.Bytes, last.Manifest)) : null);
    }

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        if (_disk.Mood == DiskMood.Refuses)
        {
            return Task.FromException(new IOException("the disk is full"));
        }

        _disk.Snapshots.Add((metadata, _serializer.Manifest(snapshot), _serializer.ToBinary(snapshot)));
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        _disk.Snapshots.RemoveAll(each => each.Metadata.PersistenceId == metadata.PersistenceId && each.Metadata.SequenceNr == metadata.SequenceNr);
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        _disk.Snapshots.RemoveAll(each => each.Metadata.PersistenceId == persistenceId && Matches(criteria, each.Metadata));
        return Task.CompletedTask;
    }

    private static bool Matches(SnapshotSelectionCriteria criteria, SnapshotMetadata metadata) =>
        metadata.SequenceNr >= criteria.MinSequenceNr && metadata.SequenceNr <= criteria.MaxSequenceNr;
}
