namespace AgentMesh.Node.Control;

/// <summary>Which jobs GET /v1/jobs lists: those that fit everything that is given.</summary>
/// <param name="State">One state of a job.</param>
/// <param name="On">The name of a device, or the beginning of its id.</param>
/// <param name="Text">A part of the command, in whichever case.</param>
/// <param name="Since">Accepted then or later.</param>
/// <param name="Home">A pool, or <c>device</c>; null for the setting <c>jobs.home</c>.</param>
public sealed record JobFilter(string? State = null, string? On = null, string? Text = null, DateTimeOffset? Since = null, string? Group = null, string? Home = null)
{
    public bool Fits(JobView job) =>
        (On is null || IsOn(job.TargetName, job.Target)) && HasText(job.Command) && (Since is null || job.CreatedAt >= Since) && (Group is null || job.Group == Group);

    /// <summary>Arrays are on what their selector names, and in no group.</summary>
    public bool Fits(ArrayView array) =>
        (On is null || array.Target.Split('@', ',', ' ').Contains(On, StringComparer.OrdinalIgnoreCase)) && HasText(array.Command) && (Since is null || array.CreatedAt >= Since) && Group is null;

    private bool IsOn(string name, string id) => name.Equals(On, StringComparison.OrdinalIgnoreCase) || (On!.Length >= 4 && id.StartsWith(On, StringComparison.OrdinalIgnoreCase));

    private bool HasText(string command) => Text is null || command.Contains(Text, StringComparison.OrdinalIgnoreCase);
}
