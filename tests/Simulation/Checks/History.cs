using AgentMesh.Mesh.Jobs;
using Simulation.Engine;

namespace Simulation.Checks;

/// <summary>What callers were told and what devices did.</summary>
internal sealed class History(SimLoop loop, Func<string, SimDisk> diskOf)
{
    /// <summary>Jobs of which somebody was told that they are accepted, by the key of the request.</summary>
    public Dictionary<string, string> Acknowledged { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Arrays { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Workflows { get; } = new(StringComparer.Ordinal);

    /// <summary>Jobs, arrays and workflows of which somebody was told that they are cancelled, or will be.</summary>
    public HashSet<string> CancelAcknowledged { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string Job, int Attempt), AttemptResult?> Attempts { get; } = [];

    public HashSet<(string Job, int Attempt)> StillRunning { get; } = [];

    public GroupWatch Groups { get; } = new(loop);

    public void Accepted(string key, string job)
    {
        loop.Note($"accepted {key} {job}");
        if (!Acknowledged.TryAdd(key, job))
        {
            loop.Require(Acknowledged[key] == job, () => $"{key} has two jobs, {Acknowledged[key]} and {job}");
        }

        loop.Require(diskOf(job).Highest(job) > 0, () => $"{job} was acknowledged and is not on the disk");
    }

    public void ArrayAccepted(string array)
    {
        loop.Note($"accepted {array}");
        Arrays.Add(array);
        loop.Require(diskOf(array).Highest(array) > 0, () => $"{array} was acknowledged and is not on the disk");
    }

    public void WorkflowAccepted(string workflow)
    {
        loop.Note($"accepted {workflow}");
        Workflows.Add(workflow);
        loop.Require(diskOf(workflow).Highest(workflow) > 0, () => $"{workflow} was acknowledged and is not on the disk");
    }

    public void Began(string job, int attempt)
    {
        loop.Note($"began {job} {attempt}");
        loop.Require(diskOf(job).Highest(job) > 0, () => $"{job}#{attempt} runs, and the job is not on the disk");
        loop.Require(Attempts.TryAdd((job, attempt), null), () => $"{job}#{attempt} was run twice");
        StillRunning.Add((job, attempt));
        Groups.Began(job, StillRunning);
    }

    public void Ended(string job, int attempt, AttemptResult result)
    {
        loop.Note($"ended {job} {attempt} {result.Outcome}");
        Attempts[(job, attempt)] = result;
        StillRunning.Remove((job, attempt));
    }

    /// <summary>It ended without anybody knowing how.</summary>
    public void Gone(string job, int attempt)
    {
        loop.Note($"gone {job} {attempt}");
        StillRunning.Remove((job, attempt));
    }
}
