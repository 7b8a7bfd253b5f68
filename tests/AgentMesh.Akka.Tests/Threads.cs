using System.Runtime.CompilerServices;

namespace AgentMesh.EngineTests;

internal static class Threads
{
    /// <summary>Some tests hold actors in the middle of a message, and connections in the middle of a write: each takes a thread of the pool.</summary>
    [ModuleInitializer]
    public static void BeEnough() => ThreadPool.SetMinThreads(32, 32);
}
