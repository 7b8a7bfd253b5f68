using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Client;

/// <summary>
/// A node has its directory before it listens, when it starts and when it starts again by itself with another key, and still has it while it ends: who comes then waits, instead of
/// hearing that there is no node.
/// </summary>
internal static class NodeDoor
{
    private static readonly TimeSpan OpensWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <returns>False when nobody has the directory, or has not listened for 10 s or <paramref name="within"/>.</returns>
    public static bool WaitUntilOpen(string directory, string socket, TimeSpan? within)
    {
        TimeSpan patience = within is { } less && less < OpensWithin ? less : OpensWithin;
        long start = TimeProvider.System.GetTimestamp();
        using var never = new ManualResetEventSlim();
        while (!File.Exists(socket))
        {
            if (DirectoryHolder.ProcessOf(directory) is null || TimeProvider.System.GetElapsedTime(start) >= patience)
            {
                return File.Exists(socket);
            }

            never.Wait(LookEvery);
        }

        return true;
    }
}
