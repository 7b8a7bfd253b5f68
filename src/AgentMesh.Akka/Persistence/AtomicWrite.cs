using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Events that are stored together or not at all. All have the same persistence id and ascending sequence numbers.</summary>
public sealed class AtomicWrite : IPersistentEnvelope, Serialization.IMessage
{
    private readonly IImmutableList<IPersistentRepresentation> _events;

    public AtomicWrite(IPersistentRepresentation @event)
        : this(ImmutableArray.Create(@event))
    {
    }

    public AtomicWrite(IImmutableList<IPersistentRepresentation> payload)
    {
        if (payload is null || payload.Count == 0)
        {
            throw new ArgumentException("an atomic write needs at least one event", nameof(payload));
        }

        IPersistentRepresentation first = payload[0];
        PersistenceId = first.PersistenceId;
        foreach (IPersistentRepresentation e in payload)
        {
            if (e.PersistenceId != PersistenceId)
            {
                throw new ArgumentException($"an atomic write has one persistence id, not {PersistenceId} and {e.PersistenceId}", nameof(payload));
            }
        }

        _events = payload;
        LowestSequenceNr = first.SequenceNr;
        HighestSequenceNr = payload[^1].SequenceNr;
    }

    /// <summary>The events, as <see cref="IImmutableList{T}"/> of <see cref="IPersistentRepresentation"/>.</summary>
    public object Payload => _events;

    public IActorRef Sender => ActorRefs.NoSender;

    public int Size => _events.Count;

    public string PersistenceId { get; }

    public long LowestSequenceNr { get; }

    public long HighestSequenceNr { get; }

    internal IImmutableList<IPersistentRepresentation> Events => _events;

    public override string ToString() => $"AtomicWrite<pid: {PersistenceId}, seqNr: {LowestSequenceNr}..{HighestSequenceNr}>";
}

/// <summary>An event that is not stored but must keep its place among those that are.</summary>
internal sealed class NonPersistentMessage(object payload, IActorRef sender) : IPersistentEnvelope
{
    public object Payload { get; } = payload;

    public IActorRef Sender { get; } = sender;

    public int Size => 1;
}
