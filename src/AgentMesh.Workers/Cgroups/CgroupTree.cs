using AgentMesh.Mesh.Turns;

namespace AgentMesh.Workers.Cgroups;

/// <summary>
/// The cgroup in which a node keeps one for each program, below the one that it runs in: there it may write where systemd delegates it (<c>Delegate=yes</c>), in a container with a hierarchy of its own, and as root.
/// </summary>
/// <param name="directory">Of the node; a directory for each program is made in it.</param>
/// <param name="limits">Whether what a job asks for is all that it gets.</param>
public sealed class CgroupTree(string directory, bool limits)
{
    /// <summary>A node that was put into a part of its cgroup that is called so (<c>DelegateSubgroup=</c>) has the whole, which has no processes then.</summary>
    private const string NodePart = "agentmesh-node";

    private const string Prefix = "agentmesh-";

    private static readonly string[] Wanted = ["cpu", "memory", "pids"];

    private FileStream? _mark;

    public string Directory => directory;

    /// <summary>What is measured and limited here; without any, processes are ended together and their time is counted.</summary>
    public IReadOnlyList<string> Controllers { get; } = [.. (CgroupFiles.Read(directory, CgroupFiles.ForChildren) ?? "").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Intersect(Wanted)];

    /// <param name="name">Tells this node from others that run in the same cgroup.</param>
    /// <returns>Null where there is none to be had, and why.</returns>
    public static CgroupTree? TryOpen(string name, bool limits, DateTimeOffset now, out string whyNot)
    {
        whyNot = "cgroups are of Linux";
        if (!OperatingSystem.IsLinux() || OwnCgroup(out whyNot) is not { } own)
        {
            return null;
        }

        string directory = Path.Combine(own, Prefix + name);
        CgroupLeavings.Sweep(own, Prefix, directory, now);
        FileStream? mark;
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            mark = CgroupLeavings.Mark(directory);
            if (mark is null && !System.IO.Directory.Exists(directory))
            {
                // One of long ago, that another node has removed at this moment.
                System.IO.Directory.CreateDirectory(directory);
                mark = CgroupLeavings.Mark(directory);
            }

            // Processes can be moved between two cgroups only where that of both can be written.
            using var own1 = new FileStream(Path.Combine(own, CgroupFiles.Processes), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            whyNot = $"{own} may not be divided: {error.Message}";
            return null;
        }

        if (!File.Exists(Path.Combine(directory, CgroupFiles.Kill)))
        {
            mark?.Dispose();
            whyNot = "the kernel is older than 5.14: it has no cgroup.kill";
            return null;
        }

        Enable(own, directory);
        return new CgroupTree(directory, limits) { _mark = mark };
    }

    /// <summary>That of one program; whether it is there shows when it is used.</summary>
    public JobCgroup Of(string name) => new(Path.Combine(directory, name));

    /// <returns>Null where it cannot be made: the program runs without one.</returns>
    public JobCgroup? TryCreate(string name, ResourceAmounts needs)
    {
        JobCgroup group = Of(name);
        return group.TryCreate(limits ? needs : ResourceAmounts.None) ? group : null;
    }

    /// <summary>Ends what an earlier process of the node has left behind, and nobody knows any more.</summary>
    /// <returns>How many there were.</returns>
    public int Sweep(IReadOnlySet<string> known)
    {
        int swept = 0;
        if (!System.IO.Directory.Exists(directory))
        {
            return swept;
        }

        foreach (string left in System.IO.Directory.GetDirectories(directory).Where(each => !known.Contains(Path.GetFileName(each))))
        {
            var group = new JobCgroup(left);
            group.Kill();
            group.Remove();
            swept++;
        }

        return swept;
    }

    /// <summary>The node ends: an empty cgroup is not left behind, one with programs that go on stays as it is.</summary>
    public void Leave()
    {
        _mark?.Dispose();
        if (System.IO.Directory.Exists(directory) && System.IO.Directory.GetDirectories(directory).Length == 0)
        {
            new JobCgroup(directory).Remove();
        }
    }

    /// <summary>The directory of the cgroup of this process.</summary>
    private static string? OwnCgroup(out string whyNot)
    {
        whyNot = "there is no cgroup v2 hierarchy";
        string? own = (CgroupFiles.Read("/proc/self", "cgroup") ?? "").Split('\n').FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal))?[3..];
        foreach (string line in (CgroupFiles.Read("/proc/self", "mountinfo") ?? "").Split('\n'))
        {
            // "... ID ROOT MOUNTPOINT OPTIONS ... - TYPE ...": fields 3 and 4.
            int dash = line.IndexOf(" - cgroup2 ", StringComparison.Ordinal);
            string[] fields = line.Split(' ');
            if (own is null || dash < 0 || fields.Length < 5 || !own.StartsWith(fields[3] == "/" ? "" : fields[3], StringComparison.Ordinal))
            {
                continue;
            }

            string below = fields[3] == "/" ? own : own[fields[3].Length..];
            string path = Path.Combine(fields[4], below.TrimStart('/'));
            if (System.IO.Directory.Exists(path))
            {
                return Path.GetFileName(path) == NodePart ? Path.GetDirectoryName(path) : path;
            }
        }

        return null;
    }

    /// <summary>
    /// A cgroup that has processes of its own hands no controllers on, but for the root: there it fails, and is as it was. The node does not move out of the way: systemd could not start it again in a cgroup
    /// that has handed controllers on.
    /// </summary>
    private static void Enable(string own, string directory)
    {
        string[] there = (CgroupFiles.Read(own, CgroupFiles.Controllers) ?? "").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (string controller in Wanted.Intersect(there))
        {
            _ = CgroupFiles.TryWrite(own, CgroupFiles.ForChildren, "+" + controller) && CgroupFiles.TryWrite(directory, CgroupFiles.ForChildren, "+" + controller);
        }
    }
}
