using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>Jobs as the control API shows them.</summary>
internal static class JobViews
{
    public static IReadOnlyList<ArtifactRefView> ArtifactsOf(AttemptResult? result) => [.. (result?.Artifacts ?? []).Select(artifact => new ArtifactRefView(artifact.Name, artifact.Hash.ToString(), artifact.Size))];

    public static string NameOf(JobStateName state) => state.ToString().ToLowerInvariant();

    /// <summary>Of a job that gave no answer: what its journal says without being read.</summary>
    public static Control.JobView Unanswered(JobId job, EntitySummary entity, MeshException silence) => new(
        job.ToString(), job.Short, Listed.Unanswered, "", "", "", 0, 0, DateTimeOffset.FromUnixTimeMilliseconds(entity.FirstAt), null, null, null, silence.Message, Listed.ProblemOf(silence), null, null, null, null);

    public static Control.JobView Of(MeshJobView job, bool repeated = false)
    {
        AttemptResult? result = job.Result;
        Problem? problem = job.Problem;
        bool isProgram = job.Spec.Command.IsProgram;
        return new Control.JobView(
            job.JobId.ToString(),
            job.JobId.Short,
            NameOf(job.State),
            job.Spec.Command.ToString(),
            job.Spec.Target.Device.ToString(),
            job.Spec.Target.Name,
            job.Attempt,
            job.Spec.Retry.Attempts,
            job.AcceptedAt,
            job.EndedAt,
            result?.Text,
            result?.ExitCode,
            problem?.Text ?? job.WaitingFor,
            problem is null ? null : new ProblemView(problem.Code, problem.Text, problem.NextStep),
            result?.Alias,
            job.Spec.IdempotencyKey,
            isProgram ? result?.StdoutBytes : null,
            isProgram ? result?.StderrBytes : null,
            repeated,
            job.Spec.Needs.Resources.IsNone ? null : job.Spec.Needs.Resources.ToString(),
            job.Spec.Needs.Priority,
            job.Spec.Needs.Group,
            job.Spec.Target.Why,
            job.Spec.Owner?.Workflow,
            job.Spec.Owner?.Step,
            ArtifactsOf(result))
        {
            Usage = result?.Usage is { } used ? new UsageView(used.Cpu?.TotalSeconds, used.MemoryPeakBytes) : null,
            Input = job.Spec.Command.Input is { From: null },
            Terminal = job.Spec.Command.Input?.Terminal is not null,
            Progress = job.Progress is { } progress ? new ProgressView(progress.Fraction, progress.Text) : null,
            Checkpoint = job.Checkpoint is { } kept ? new CheckpointInfo(kept.Bytes, kept.Attempt, kept.At) : null,
            Notify = job.Spec.Notify?.Url,
            NotifyOn = DeliveryViews.OnOf(job.Spec.Notify),
            Delivery = job is { Delivery: { } delivery, EndedAt: { } ended } ? DeliveryViews.Of(JobDeliveryRules.IdOf(job.JobId, delivery, job.Attempt, ended), job.JobId.Short, delivery) : null,
        };
    }
}
