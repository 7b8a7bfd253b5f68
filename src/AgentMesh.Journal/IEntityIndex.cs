namespace AgentMesh.Journal;

/// <summary>What a journal knows of its entities without reading their events; the SQLite file of a device and the database of a pool have one each.</summary>
public interface IEntityIndex
{
    /// <summary>Entities whose id begins with <paramref name="prefix"/> (ordinal; the category up to the first slash must be complete), newest first.</summary>
    /// <param name="prefix">For example <c>job/</c> or <c>job/HOME/</c>.</param>
    /// <param name="before">The <see cref="EntityPage.Next"/> of the page before; null for the first.</param>
    /// <param name="limit">Entities on a page, 1 to 10,000.</param>
    Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default);

    /// <summary>Entities that were removed, as <see cref="ListAsync"/> does; their last time is that of the removal.</summary>
    Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default);

    /// <summary>Entities whose last event is none of <paramref name="closedManifests"/>: the unfinished ones that must be woken after a restart.</summary>
    /// <param name="limit">Of those that are wanted.</param>
    /// <param name="wanted">Sees ids one after the other, some more than once, on any thread; null where all are wanted.</param>
    Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null);

    /// <summary>The events of an entity from a number on, the oldest first, at most <paramref name="max"/>; those that a snapshot stands for are not there any more.</summary>
    Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default);
}
