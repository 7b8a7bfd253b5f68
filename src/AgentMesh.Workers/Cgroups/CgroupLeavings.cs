namespace AgentMesh.Workers.Cgroups;

/// <summary>
/// The cgroups of nodes that were killed and did not come back. A living node has a lock in its own, which the kernel takes back with the process, so that an
/// empty one without a lock belongs to nobody.
/// </summary>
internal static class CgroupLeavings
{
    /// <summary>Every cgroup below the root has this file, and nobody else opens it.</summary>
    private const string Lock = "cgroup.max.depth";

    /// <summary>What follows the prefix: the beginning of a device id.</summary>
    private const int NameLength = 8;

    /// <summary>At one start, so that it takes no noticeable time.</summary>
    private const int SweptMax = 200;

    private static readonly TimeSpan LeftAfter = TimeSpan.FromHours(1);
    private static readonly TimeSpan ProgramsLeftAfter = TimeSpan.FromDays(1);

    /// <summary>Says that a node lives here, until it is disposed or the process ends.</summary>
    /// <returns>Null where it cannot be said: then nobody locks, and age decides.</returns>
    public static FileStream? Mark(string directory)
    {
        try
        {
            // Shared: a node that starts over in this process does not wait for itself.
            return new FileStream(Path.Combine(directory, Lock), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="within">The cgroup that nodes divide.</param>
    /// <param name="but">That of this node, which has to say itself what it needs of it.</param>
    public static void Sweep(string within, string prefix, string but, DateTimeOffset now)
    {
        try
        {
            foreach (string left in Directory.EnumerateDirectories(within, prefix + "*").Where(each => each != but && Path.GetFileName(each).Length == prefix.Length + NameLength).Take(SweptMax).ToArray())
            {
                TryRemove(left, now);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Somebody else removes them too, or may, and this one may not.
        }
    }

    private static void TryRemove(string directory, DateTimeOffset now)
    {
        try
        {
            // Refused while a node holds its mark.
            using var alone = new FileStream(Path.Combine(directory, Lock), FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 0);
            if (CgroupFiles.Number(directory, "cgroup.events", "populated") != 0)
            {
                return;
            }

            foreach (string program in Directory.GetDirectories(directory).Where(each => IsOlder(each, ProgramsLeftAfter)))
            {
                Directory.Delete(program);
            }

            if (IsOlder(directory, LeftAfter))
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is used after all.
        }

        bool IsOlder(string each, TimeSpan age) => now - Directory.GetCreationTimeUtc(each) >= age && now - Directory.GetLastWriteTimeUtc(each) >= age;
    }
}
