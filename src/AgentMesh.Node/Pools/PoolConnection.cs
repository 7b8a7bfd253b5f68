using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Pools;

/// <summary>The connection string of a pool: from a file or an environment variable, so that it stands in no configuration that is shown.</summary>
internal static class PoolConnection
{
    private const int CharsMax = 16 * 1024;

    /// <exception cref="MeshException">AM0454: there is none.</exception>
    public static string Read(PoolSettings pool, Func<string, string?> environment)
    {
        if (pool.ConnectionFile.Length > 0)
        {
            try
            {
                string text = File.ReadAllText(pool.ConnectionFile).Trim();
                return text.Length is > 0 and <= CharsMax ? text : throw Missing($"the file {pool.ConnectionFile} holds no connection string");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw Missing($"the file {pool.ConnectionFile} cannot be read: {error.Message}");
            }
        }

        return environment(pool.ConnectionVariable)?.Trim() is { Length: > 0 and <= CharsMax } value
            ? value
            : throw Missing($"the pool '{pool.Name}' has no connection: agentmesh.pool.connection-file is empty, and the environment variable {pool.ConnectionVariable} is not set");
    }

    private static MeshException Missing(string what) =>
        new(JournalErrors.BadConnection, what, "write Host=…;Database=…;Username=…;Password=… into a file that only this user can read, and name it in agentmesh.pool.connection-file");
}
