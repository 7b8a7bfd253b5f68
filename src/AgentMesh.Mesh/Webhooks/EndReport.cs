using System.Text;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>What is told of a job that came to rest, besides its id and state. Journalled with the end of a run of a schedule, so that each attempt to deliver tells the same; a job at rest has all of it.</summary>
/// <param name="Attempt">The newest of the job; 0 where none began.</param>
/// <param name="Device">Where that ran; null where none began.</param>
/// <param name="On">The name of the device that was meant.</param>
/// <param name="Problem">Why the job is paused, failed or cancelled.</param>
/// <param name="Text">The result of a handler, the last <see cref="TextBytesMax"/> bytes of it; null for a program, whose output is in the store of the home.</param>
public sealed record EndReport(
    int Attempt, DeviceId? Device, string On, int? ExitCode, DateTimeOffset? BeganAt, DateTimeOffset EndedAt, Problem? Problem, long StdoutBytes, long StderrBytes, string? Text)
{
    public const int TextBytesMax = 4_096;

    public static EndReport Of(JobView job, DateTimeOffset now) => new(
        job.Attempt,
        job.Device,
        job.Spec.Target.Name,
        job.Result?.ExitCode,
        job.PlacedAt,
        job.EndedAt ?? now,
        job.Problem,
        job.Result?.StdoutBytes ?? 0,
        job.Result?.StderrBytes ?? 0,
        job.Result?.Text is { } text ? TextEnd.Of(Encoding.UTF8.GetBytes(text), TextBytesMax) : null);
}
