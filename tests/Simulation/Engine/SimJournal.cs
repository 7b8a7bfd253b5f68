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

    public SimJournal(Config config)
    {
        _machine = SimMachine.Find(config.GetString("machine", ""));
        _serializer = new MeshSerializer((ExtendedActorSystem)_machine.System);
    }

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback)
    {
        foreach (StoredEvent stored in _machine.Disk.Read(persistenceId, fromSequenceNr, toSequenceNr, max))
        {
            recoveryCallback(new Persistent(_serializer.FromBinary(stored.Bytes, stored.Manifest), stored.Sequence, persistenceId, stored.Manifest));
        }

        return Task.CompletedTask;
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) => Task.FromResult(_machine.Disk.Highest(persistenceId));

    protected override Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        if (_machine.Disk.Mood == DiskMood.Refuses)
        {
            return Task.FromException<IImmutableList<Exception>?>(new IOException("the disk is full"));
        }

        foreach (IPersistentRepresentation each in messages.SelectMany(write => (IEnumerable<IPersistentRepresentation>)write.Payload))
        {
            string manifest = _serializer.Manifest(each.Payload);
            _machine.Disk.Store(new StoredEvent(each.PersistenceId, each.SequenceNr, manifest, _serializer.ToBinary(each.Payload)));
            _machine.Loop.Note($"{each.PersistenceId} {each.SequenceNr} {manifest}");
        }

        return _machine.Disk.Mood == DiskMood.LosesAnswers
            ? Task.FromException<IImmutableList<Exception>?>(new IOException("the answer was lost"))
            : Task.FromResult<IImmutableList<Exception>?>(null);
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        _machine.Disk.Delete(persistenceId, toSequenceNr);
        return Task.CompletedTask;
    }
}

public sealed class SimSnapshots : SnapshotStore
{
    private readonly SimMachine _machine;
    private readonly MeshSerializer _serializer;

    public SimSnapshots(Config config)
    {
        _machine = SimMachine.Find(config.GetString("machine", ""));
        _serializer = new MeshSerializer((ExtendedActorSystem)_machine.System);
    }

    protected override Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        (SnapshotMetadata Metadata, string Manifest, byte[] Bytes)[] found =
            [.. _machine.Disk.Snapshots.Where(each => each.Metadata.PersistenceId == persistenceId && Matches(criteria, each.Metadata)).OrderBy(each => each.Metadata.SequenceNr)];
        return Task.FromResult(found is [.., { } last] ? new SelectedSnapshot(last.Metadata, _serializer.FromBinary(last.Bytes, last.Manifest)) : null);
    }

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        if (_machine.Disk.Mood == DiskMood.Refuses)
        {
            return Task.FromException(new IOException("the disk is full"));
        }

        _machine.Disk.Snapshots.Add((metadata, _serializer.Manifest(snapshot), _serializer.ToBinary(snapshot)));
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        _machine.Disk.Snapshots.RemoveAll(each => each.Metadata.PersistenceId == metadata.PersistenceId && each.Metadata.SequenceNr == metadata.SequenceNr);
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        _machine.Disk.Snapshots.RemoveAll(each => each.Metadata.PersistenceId == persistenceId && Matches(criteria, each.Metadata));
        return Task.CompletedTask;
    }

    private static bool Matches(SnapshotSelectionCriteria criteria, SnapshotMetadata metadata) =>
        metadata.SequenceNr >= criteria.MinSequenceNr && metadata.SequenceNr <= criteria.MaxSequenceNr;
}
