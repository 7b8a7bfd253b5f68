using System.Collections.Concurrent;
using Akka.Actor;

namespace AgentMesh.Mesh.Sharding;

/// <summary>Where the entities of a home are journalled that is not the device itself.</summary>
/// <param name="Residents">Those that are awake here: they stop when this device does not own them any more.</param>
public sealed record HomeJournal(string JournalPluginId, string SnapshotPluginId, HomeResidents Residents);

/// <summary>The entities of a pool that are awake on this device. Thread-safe.</summary>
public sealed class HomeResidents
{
    private readonly ConcurrentDictionary<IActorRef, byte> _present = new();

    public int Count => _present.Count;

    public void Enter(IActorRef entity) => _present[entity] = 0;

    public void Leave(IActorRef entity) => _present.TryRemove(entity, out _);

    /// <summary>This device has lost its lease: whatever these entities know may be out of date. They begin anew with the next message, where they may.</summary>
    public void StopAll()
    {
        foreach (IActorRef entity in _present.Keys)
        {
            entity.Tell(PoisonPill.Instance, ActorRefs.NoSender);
        }
    }
}
