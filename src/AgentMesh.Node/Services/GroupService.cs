using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Groups;
using AgentMesh.Node.Control;
using MeshGroupView = AgentMesh.Mesh.Groups.GroupView;

namespace AgentMesh.Node.Services;

/// <summary>The groups of jobs of this device and of its pool.</summary>
internal sealed class GroupService(Homes homes, Entities entities)
{
    private const int ListedMax = 1_000;

    /// <exception cref="MeshException">AM0392: the name. AM0395: the limit.</exception>
    public async Task<Control.GroupView> SetAsync(GroupRequest request, CancellationToken cancellationToken) =>
        ViewOf(await entities.AskAsync<MeshGroupView>(new SetGroup(new GroupId(homes.Of(request.Home).Home, request.Name ?? ""), request.Max, request.LiftMax, request.Paused), cancellationToken).ConfigureAwait(false));

    /// <exception cref="MeshException">AM0394: there is none.</exception>
    public async Task<Control.GroupView> ShowAsync(string name, string? home, CancellationToken cancellationToken) =>
        ViewOf(await entities.AskAsync<MeshGroupView>(new GetGroup(new GroupId(homes.Of(home).Home, name)), cancellationToken).ConfigureAwait(false));

    /// <summary>Of every home that this device takes part in.</summary>
    public async Task<IReadOnlyList<Control.GroupView>> ListAsync(CancellationToken cancellationToken)
    {
        var views = new List<Control.GroupView>();
        foreach (HomeIndex index in homes.All)
        {
            IReadOnlyList<EntitySummary> found = await index.Journal.OpenAsync($"{GroupId.Prefix}{index.Home}/", GroupManifests.Gone, ListedMax, cancellationToken).ConfigureAwait(false);
            IEnumerable<GroupId> groups = found.Select(entity => GroupId.TryParse(entity.PersistenceId, out GroupId id) ? id : default).Where(static id => !id.IsNone);
            views.AddRange(await Task.WhenAll(groups.Select(async id => ViewOf(await entities.AskAsync<MeshGroupView>(new GetGroup(id), cancellationToken).ConfigureAwait(false)))).ConfigureAwait(false));
        }

        return [.. views.OrderBy(static view => view.Name, StringComparer.Ordinal)];
    }

    /// <exception cref="MeshException">AM0394: there is none.</exception>
    public async Task<GroupRemovedView> RemoveAsync(string name, string? home, CancellationToken cancellationToken)
    {
        GroupRemoved removed = await entities.AskAsync<GroupRemoved>(new RemoveGroup(new GroupId(homes.Of(home).Home, name)), cancellationToken).ConfigureAwait(false);
        return new GroupRemovedView(removed.GroupId.Name);
    }

    private static Control.GroupView ViewOf(MeshGroupView group) => new(
        group.GroupId.Name, group.Settings.Max, group.Settings.IsPaused, group.IsSet, group.Holding, [.. group.Holders.Select(static job => job.Short)], group.Waiting, group.Granted, group.GroupId.Home.IsPool ? group.GroupId.Home.ToString() : null);
}
