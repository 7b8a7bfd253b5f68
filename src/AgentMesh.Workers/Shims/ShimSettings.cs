namespace AgentMesh.Workers.Shims;

/// <summary>How programs live beside their node. Null in <see cref="Attempts.ExecutionTools"/>: they end with it.</summary>
/// <param name="Lease">How long a program goes on without its node; null for as long as it likes.</param>
/// <param name="KeepOnStop">Whether programs go on when the node is stopped; they always do when it is killed.</param>
public sealed record ShimSettings(ShimCommand Command, TimeSpan? Lease, bool KeepOnStop);

/// <summary>How a shim is started.</summary>
/// <param name="Program">With its path.</param>
/// <param name="Arguments">Before the directory of the attempt.</param>
/// <param name="IsNative">Compiled ahead of time: starts at once and needs a few MB.</param>
public sealed record ShimCommand(string Program, IReadOnlyList<string> Arguments, bool IsNative)
{
    private const string Name = "agentmesh-shim";

    /// <summary>The native program where it was built, else the same code on the runtime that runs this process.</summary>
    /// <param name="directory">Where the program of the node is.</param>
    /// <returns>Null where there is none, and on systems other than Linux.</returns>
    public static ShimCommand? Find(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        string native = Path.Combine(directory, "shim", Name);
        if (File.Exists(native))
        {
            return new ShimCommand(native, [], IsNative: true);
        }

        string managed = Path.Combine(directory, Name + ".dll");
        return File.Exists(managed) && File.Exists(Path.ChangeExtension(managed, ".runtimeconfig.json")) && Runtime() is { } runtime
            ? new ShimCommand(runtime, [managed], IsNative: false)
            : null;
    }

    private static string? Runtime()
    {
        if (Path.GetFileName(Environment.ProcessPath) == "dotnet")
        {
            return Environment.ProcessPath;
        }

        // <root>/shared/Microsoft.NETCore.App/<version>/
        string host = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        return File.Exists(host) ? host : null;
    }
}
