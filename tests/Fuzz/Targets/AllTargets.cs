using AgentMesh.Errors;
using AgentMesh.Fuzz.Engine;

namespace AgentMesh.Fuzz.Targets;

/// <summary>Every parser of bytes that somebody else made. A new one belongs here: docs/fuzzing.md.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } = [.. PacketTargets.All, .. ReachTargets.All, .. LinkTargets.All, .. TextTargets.All];

    public static FuzzTarget Find(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new MeshException("fuzz", $"there is no target '{name}'", $"one of: {string.Join(' ', All.Select(target => target.Name).Order(StringComparer.Ordinal))}");
}
