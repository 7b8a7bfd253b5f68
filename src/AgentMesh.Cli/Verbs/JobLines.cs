using System.Globalization;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>What is known of one job, for people.</summary>
internal static class JobLines
{
    /// <summary>The short id of the workflow, and the step.</summary>
    public static string WorkflowOf(JobView job) => $"{(WorkflowId.TryParse(job.Workflow, out WorkflowId id) ? id.Short : job.Workflow)}/{job.Step}";

    /// <summary>How far a job is, as it says; empty where it does not.</summary>
    public static string Shown(ProgressView? progress) => progress is null
        ? ""
        : (progress.Fraction is { } fraction ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100)} % ") : "") + progress.Text;

    public static void Show(Session session, JobView job)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(job, ControlJson.Default.JobView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine($"job       {job.Id}");
        to.WriteLine($"command   {job.Command}");
        if (job.Workflow is not null)
        {
            to.WriteLine($"workflow  {WorkflowOf(job)}");
        }

        to.WriteLine($"on        {job.TargetName} ({job.Target})");
        if (job.TargetWhy is { } why)
        {
            to.WriteLine($"chosen    {why}");
        }

        if (job.Resources is not null || job.Priority != 0 || job.Group is not null)
        {
            string[] needs = [.. job.Resources is { } taken ? (string[])[taken] : [], .. job.Priority != 0 ? (string[])[$"priority {job.Priority}"] : [], .. job.Group is { } group ? (string[])[$"group {group}"] : []];
            to.WriteLine($"needs     {string.Join("; ", needs)}");
        }

        to.WriteLine($"state     {job.State}{(job.Reason is null ? "" : $": {job.Reason}")}");
        to.WriteLine($"attempt   {job.Attempt} of {job.AttemptsMax}");
        if (job.Progress is not null)
        {
            to.WriteLine($"progress  {Shown(job.Progress)}");
        }

        if (job.Checkpoint is { } kept)
        {
            to.WriteLine($"kept      a checkpoint of {kept.Bytes} bytes, left by attempt {kept.Attempt} at {kept.At:u}");
        }

        to.WriteLine($"created   {job.CreatedAt:u}");
        if (job.EndedAt is { } ended)
        {
            to.WriteLine($"ended     {ended:u}");
        }

        if (job.Usage is { } used)
        {
            string[] parts =
            [
                .. used.CpuSeconds is { } cpu ? (string[])[string.Create(CultureInfo.InvariantCulture, $"{cpu:0.##} s of processors")] : [],
                .. used.MemoryPeakBytes is { } memory ? (string[])[$"at most {ResourceAmounts.Shown(ResourceAmounts.Memory, memory * 1_000)} of memory"] : [],
            ];
            to.WriteLine($"used      {string.Join(", ", parts)}");
        }

        if (job.ExitCode is { } code)
        {
            to.WriteLine($"exit code {code}");
        }

        if (job.StdoutBytes is not null || job.StderrBytes is not null)
        {
            to.WriteLine($"output    {job.StdoutBytes ?? 0} bytes stdout, {job.StderrBytes ?? 0} bytes stderr");
        }

        foreach (ArtifactRefView artifact in job.Artifacts ?? [])
        {
            to.WriteLine($"artifact  {artifact.Name}: {artifact.Size} bytes, {artifact.Hash}");
        }

        if (job.Problem is { } problem)
        {
            to.WriteLine($"problem   {problem.Code}: {problem.Message}");
        }

        if (job.Result is not null)
        {
            to.WriteLine($"result    {job.Result}");
        }

        ToldLines.WriteEnd(to, job.Notify, job.NotifyOn, job.Delivery);
    }
}
