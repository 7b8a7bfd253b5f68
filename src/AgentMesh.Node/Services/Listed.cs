using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Services;

/// <summary>Asks the entities of a list how they are. One that gives no answer does not take the others with it: it is listed as that.</summary>
internal static class Listed
{
    /// <summary>The state of what gave no answer.</summary>
    public const string Unanswered = "unanswered";

    /// <summary>Without those that were removed since the list was read.</summary>
    /// <param name="unanswered">What is listed of one that gave no answer in time.</param>
    public static async Task<(EntitySummary Entity, T View)[]> ViewsAsync<T>(
        IReadOnlyList<EntitySummary> entities, Func<EntitySummary, Task<T>> ask, Func<EntitySummary, MeshException, T> unanswered)
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
            catch (MeshException silence) when (silence.Code == MeshErrors.NoAnswer)
            {
                return unanswered(entity, silence);
            }
        }
    }

    public static ProblemView ProblemOf(MeshException silence) => new(silence.Code, silence.Message, silence.NextStep);
}
