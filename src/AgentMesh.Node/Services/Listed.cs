using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;

namespace AgentMesh.Node.Services;

/// <summary>Asks the entities of a list how they are.</summary>
internal static class Listed
{
    /// <summary>Without those that were removed since the list was read.</summary>
    public static async Task<(EntitySummary Entity, T View)[]> ViewsAsync<T>(IReadOnlyList<EntitySummary> entities, Func<EntitySummary, Task<T>> ask)
        where T : class
    {
        (EntitySummary Entity, T? View)[] views = await Task.WhenAll(entities.Select(async entity => (entity, await AskAsync(entity).ConfigureAwait(false)))).ConfigureAwait(false);
        return [.. views.Where(each => each.View is not null).Select(each => (each.Entity, each.View!))];

        async Task<T?> AskAsync(EntitySummary entity)
        {
            try
            {
                return await ask(entity).ConfigureAwait(false);
            }
            catch (MeshException gone) when (gone.Code == MeshErrors.Removed)
            {
                return null;
            }
        }
    }
}
