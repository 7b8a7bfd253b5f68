using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Retention;

namespace AgentMesh.Node.Services;

/// <summary>Finds entities by what people type of their ids: any part of an ulid, in practice its end as it is shown.</summary>
internal static class ShortIds
{
    private const int PageMax = 1_000;

    /// <summary>Of shorter parts chance alone would find one.</summary>
    private const int PartCharsMin = 4;

    /// <param name="prefix">Of the kind, as in its ids.</param>
    /// <param name="shortPrefix">What the short ids of the kind begin with; may be left out by who types, and empty.</param>
    /// <param name="searchedMax">Entities that count, the newest first, after which an older one is not found any more.</param>
    /// <param name="counts">Whether an entity is one of those.</param>
    /// <param name="unknown">What is said of one that was never there.</param>
    /// <exception cref="MeshException">AM0309: there are several. AM0457: it was removed. Else <paramref name="unknown"/>.</exception>
    public static async Task<(HomeId Home, Ulid Ulid)> FindAsync(
        IReadOnlyList<HomeIndex> homes, string prefix, string shortPrefix, string text, MeshException unknown, CancellationToken cancellationToken, int searchedMax = int.MaxValue, Func<Ulid, bool>? counts = null) =>
        await FindAsync(homes, (index, before) => index.Journal.ListAsync($"{prefix}{index.Home}/", before, PageMax, cancellationToken), prefix, shortPrefix, text, searchedMax, counts ?? (static _ => true)).ConfigureAwait(false)
        ?? throw await MissingAsync(homes, prefix, shortPrefix, text, unknown, cancellationToken).ConfigureAwait(false);

    /// <summary>What is to be said of an id that was not found: whether it was removed, or never there.</summary>
    private static async Task<MeshException> MissingAsync(
        IReadOnlyList<HomeIndex> homes, string prefix, string shortPrefix, string text, MeshException unknown, CancellationToken cancellationToken)
    {
        bool isRemoved = await FindAsync(homes, (index, before) => index.Journal.RemovedAsync($"{prefix}{index.Home}/", before, PageMax, cancellationToken), prefix, shortPrefix, text, int.MaxValue, static _ => true).ConfigureAwait(false) is not null;
        return isRemoved ? new MeshException(MeshErrors.Removed, RemovedProblem.Text($"{prefix.TrimEnd('/')} {text}"), RemovedProblem.NextStep) : unknown;
    }

    private static async Task<(HomeId Home, Ulid Ulid)?> FindAsync(
        IReadOnlyList<HomeIndex> homes, Func<HomeIndex, long?, Task<EntityPage>> read, string prefix, string shortPrefix, string text, int searchedMax, Func<Ulid, bool> counts)
    {
        string part = (text.StartsWith(shortPrefix, StringComparison.OrdinalIgnoreCase) ? text[shortPrefix.Length..] : text).ToLowerInvariant();
        (HomeId Home, Ulid Ulid)? found = null;
        foreach (HomeIndex index in part.Length >= PartCharsMin ? homes : [])
        {
            long? next = null;
            int searched = 0;
            do
            {
                EntityPage page = await read(index, next).ConfigureAwait(false);
                foreach (Ulid ulid in page.Entities.Select(entity => UlidOf(entity.PersistenceId)))
                {
                    searched += counts(ulid) ? 1 : 0;
                    if (ulid.ToString().Contains(part, StringComparison.Ordinal))
                    {
                        found = found is null ? (index.Home, ulid) : throw new MeshException(MeshErrors.AmbiguousJob, $"'{text}' is in the ids of several {prefix.TrimEnd('/')}s", "write more of the id");
                    }
                }

                next = page.Next;
            }
            while (next is not null && searched < searchedMax);
        }

        return found;
    }

    private static Ulid UlidOf(string persistenceId) => Ulid.TryParse(persistenceId[(persistenceId.LastIndexOf('/') + 1)..], out Ulid ulid)
        ? ulid
        : throw new InvariantException($"'{persistenceId}' does not end with an ulid");
}
