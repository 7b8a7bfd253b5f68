using System.Globalization;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Workers.Cgroups;

/// <summary>The cgroup of one program and of everything that it starts, whatever that does to get away.</summary>
public sealed class JobCgroup(string directory)
{
    /// <summary>For a resource called so, processes and threads are counted.</summary>
    public const string Pids = "pids";

    /// <summary>cpu.max counts in microseconds of this period.</summary>
    private const long CpuPeriod = 100_000;

    private const int Unit = 1_000;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private const int LooksMax = 100;

    public string Directory => directory;

    public bool Exists => System.IO.Directory.Exists(directory);

    /// <param name="limits">What the program gets at most; a limit that the kernel does not take here is none.</param>
    public bool TryCreate(ResourceAmounts limits)
    {
        try
        {
            System.IO.Directory.CreateDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        foreach ((string file, string value) in FilesOf(limits))
        {
            CgroupFiles.TryWrite(directory, file, value);
        }

        return true;
    }

    /// <summary>What is written for what a job asks for.</summary>
    public static IEnumerable<(string File, string Value)> FilesOf(ResourceAmounts limits)
    {
        if (limits[ResourceAmounts.Memory] is > 0 and var memory)
        {
            yield return ("memory.max", (memory / Unit).ToString(CultureInfo.InvariantCulture));
        }

        if (limits[ResourceAmounts.Cpu] is > 0 and var cpu)
        {
            yield return ("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1_000, cpu * (CpuPeriod / Unit))} {CpuPeriod}"));
        }

        if (limits[Pids] is > 0 and var pids)
        {
            yield return ("pids.max", Math.Max(1, pids / Unit).ToString(CultureInfo.InvariantCulture));
        }
    }

    public void Kill() => CgroupFiles.TryWrite(directory, CgroupFiles.Kill, "1");

    /// <summary>Null where nothing is counted.</summary>
    public ProgramUsage? Usage()
    {
        TimeSpan? cpu = CgroupFiles.Number(directory, "cpu.stat", "usage_usec") is { } used ? TimeSpan.FromMicroseconds(used) : null;
        long? memory = CgroupFiles.Number(directory, "memory.peak");
        return cpu is null && memory is null ? null : new ProgramUsage(cpu, memory) { IsOutOfMemory = CgroupFiles.Number(directory, "memory.events", "oom_kill") > 0 };
    }

    /// <summary>Ends what is left in it, and removes it.</summary>
    /// <returns>What was used in all.</returns>
    public async Task<ProgramUsage?> EndAsync(TimeProvider time)
    {
        if (!Exists)
        {
            return null;
        }

        Kill();
        for (int looks = 0; looks < LooksMax && CgroupFiles.Number(directory, "cgroup.events", "populated") == 1; looks++)
        {
            await Task.Delay(LookEvery, time).ConfigureAwait(false);
        }

        ProgramUsage? usage = Usage();
        Remove();
        return usage;
    }

    /// <summary>With those that the program made in it; one with processes stays, and the next start of the node removes it.</summary>
    public void Remove() => Remove(directory);

    private static void Remove(string directory)
    {
        try
        {
            foreach (string inner in System.IO.Directory.GetDirectories(directory))
            {
                Remove(inner);
            }

            System.IO.Directory.Delete(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Busy, or gone.
        }
    }
}
