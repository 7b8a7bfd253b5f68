using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Shims;

/// <summary>Programs that go on without a node.</summary>
public static class LivingPrograms
{
    /// <param name="spoolDirectory">Of the node; need not exist.</param>
    public static int Count(string spoolDirectory) =>
        Directory.Exists(spoolDirectory) ? Directory.GetDirectories(spoolDirectory).Count(each => RecordOf(each) is { } record && IsAlive(record)) : 0;

    internal static ShimRecord? RecordOf(string directory) => ShimRecord.TryRead(Path.Combine(directory, ShimFiles.Record));

    internal static bool IsAlive(ShimRecord record) => record.Boot == ShimRecord.ThisBoot() && record.Shim.IsAlive;
}
