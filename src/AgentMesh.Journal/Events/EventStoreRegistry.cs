namespace AgentMesh.Journal;

/// <summary>
/// Shares one open store per file within the process, so that the actor systems that follow each other in a node use the same connection and lock.
/// The store closes when the last lease is disposed.
/// </summary>
public static class EventStoreRegistry
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, Shared> Stores = new(StringComparer.Ordinal);

    /// <summary>Opens the store or joins the one that is open; settings count only for the one that opens it.</summary>
    /// <exception cref="AgentMesh.Errors.MeshException">As <see cref="SqliteEventStore.Open"/>.</exception>
    public static StoreLease<SqliteEventStore> Acquire(EventStoreSettings settings, TimeProvider time)
    {
        string path = Path.GetFullPath(settings.Path);
        lock (Gate)
        {
            if (!Stores.TryGetValue(path, out Shared? shared))
            {
                shared = new Shared(SqliteEventStore.Open(settings with { Path = path }, time));
                Stores.Add(path, shared);
            }

            shared.Leases++;
            return new StoreLease<SqliteEventStore>(shared.Store, () => Release(path, shared));
        }
    }

    private static void Release(string path, Shared shared)
    {
        lock (Gate)
        {
            if (--shared.Leases == 0)
            {
                Stores.Remove(path);
                shared.Store.Dispose();
            }
        }
    }

    private sealed class Shared(SqliteEventStore store)
    {
        public SqliteEventStore Store { get; } = store;

        public int Leases { get; set; }
    }
}
