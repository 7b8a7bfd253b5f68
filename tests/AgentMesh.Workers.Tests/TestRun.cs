namespace AgentMesh.Workers.Tests;

/// <summary>
/// Tells the jobs of this process from those of another run of the tests on the same machine: what is left of an attempt is found by its job, anywhere.
/// </summary>
internal static class TestRun
{
    private static readonly string Name = Guid.NewGuid().ToString("N");

    public static string Key(string key) => $"{key} {Name}";
}
