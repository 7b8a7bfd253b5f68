using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>What all journals share: event adapters between the actor and what is stored.</summary>
public abstract class WriteJournalBase : ActorBase
{
    private readonly EventAdapters _adapters;

    protected WriteJournalBase()
    {
        Extension = Persistence.Instance.Apply(Context.System);
        Plugin = Extension.PluginOf(Self);
        _adapters = Plugin.Adapters;
    }

    internal PersistenceExtension Extension { get; }

    internal PersistencePlugin Plugin { get; }

    /// <summary>The atomic writes of a batch in what they store; envelopes that are not stored are left out.</summary>
    protected IEnumerable<AtomicWrite> PreparePersistentBatch(IEnumerable<IPersistentEnvelope> resequenceables)
    {
        foreach (IPersistentEnvelope envelope in resequenceables)
        {
            if (envelope is AtomicWrite write)
            {
                yield return _adapters.IsEmpty ? write : new AtomicWrite([.. write.Events.Select(AdaptToJournal)]);
            }
        }
    }

    protected IPersistentRepresentation AdaptToJournal(IPersistentRepresentation representation)
    {
        if (_adapters.IsEmpty)
        {
            return representation;
        }

        IEventAdapter adapter = _adapters.Get(representation.Payload.GetType());
        return representation.WithManifest(adapter.Manifest(representation.Payload)).WithPayload(adapter.ToJournal(representation.Payload));
    }

    protected IEnumerable<IPersistentRepresentation> AdaptFromJournal(IPersistentRepresentation representation) =>
        _adapters.IsEmpty
            ? [representation]
            : _adapters.Get(representation.Payload.GetType()).FromJournal(representation.Payload, representation.Manifest).Events.Select(representation.WithPayload);
}
