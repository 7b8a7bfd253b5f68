using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Services;

namespace AgentMesh.Node.Tests.Services;

/// <summary>Lists of which some do not answer.</summary>
public sealed class ListedTests
{
    private static readonly EntitySummary[] Entities = [Entity(3, "c"), Entity(2, "b"), Entity(1, "a")];

    [Fact]
    public async Task What_gives_no_answer_stands_in_its_place_and_the_others_are_listed() =>
        Assert.Equal(
            ["view of c", "b: AM0320", "view of a"],
            await ListAsync(entity => entity.PersistenceId == "b" ? throw new MeshException(MeshErrors.NoAnswer, "silence") : entity.PersistenceId));

    [Fact]
    public async Task What_was_removed_meanwhile_is_left_out() =>
        Assert.Equal(["view of c", "view of a"], await ListAsync(entity => entity.PersistenceId == "b" ? throw new MeshException(MeshErrors.Removed, "gone") : entity.PersistenceId));

    [Fact]
    public async Task What_else_is_wrong_is_said()
    {
        MeshException error = await Assert.ThrowsAsync<MeshException>(() => ListAsync(_ => throw new MeshException(MeshErrors.UnknownPool, "no part")));

        Assert.Equal(MeshErrors.UnknownPool, error.Code);
    }

    private static async Task<string[]> ListAsync(Func<EntitySummary, string> answer)
    {
        (EntitySummary Entity, string View)[] views = await Listed.ViewsAsync(
            Entities,
            async entity =>
            {
                await Task.Yield();
                return $"view of {answer(entity)}";
            },
            (entity, silence) => $"{entity.PersistenceId}: {silence.Code}");
        Assert.All(views, each => Assert.Contains(each.Entity.PersistenceId, each.View, StringComparison.Ordinal));
        return [.. views.Select(each => each.View)];
    }

    private static EntitySummary Entity(long key, string id) => new(key, id, 1, "", 0, 0);
}
