using System.Globalization;
using AgentMesh.Node.Control;
using Soak.Running;

namespace Soak.Checks;

/// <summary>Where each job stands at the end, seen from its home.</summary>
internal sealed class JobChecks(History history)
{
    public static bool IsAtRest(JobView job) => job.State is "completed" or "failed" or "cancelled" or "paused";

    /// <param name="final">Null where the home does not know the job.</param>
    public void Run(Board board, KnownJob known, JobView? final)
    {
        board.Check("every job id that was returned exists at its home", final is not null, () => Name(known));
        if (final is null)
        {
            return;
        }

        board.Check("every job has come to rest", IsAtRest(final), () => $"{Name(known)}: {final.State}, attempt {final.Attempt}, {final.Reason}");
        switch (final.State)
        {
            case "completed":
                board.Check("every recorded result is right", known.Item.Answer is null || final.Result == known.Item.Answer, () => $"{Name(known)}: {final.Result} instead of {known.Item.Answer}");
                board.Check("no job completed after its cancellation was taken", !known.CancelTaken, () => Name(known));
                break;
            case "paused":
                board.Check(
                    "every paused job has used up its attempts by faults",
                    final.Problem?.Code == "AM0313" && final.Attempt >= final.AttemptsMax && IsDisturbed(known, final),
                    () => $"{Name(known)}: attempt {final.Attempt} of {final.AttemptsMax}, {final.Problem?.Code}: {final.Reason}");
                break;
            case "cancelled":
                board.Check("every cancelled job was cancelled by somebody", known.CancelTried, () => Name(known));
                break;
            case "failed":
                board.Check("no job failed", false, () => $"{Name(known)}: exit code {final.ExitCode}, {final.Problem?.Code}: {final.Reason}");
                break;
        }

        board.Check(
            "no attempt was lost without a fault at home or target",
            final.Attempt <= 1 || IsDisturbed(known, final),
            () => $"{Name(known)}: attempt {final.Attempt}");
        foreach (JobView told in known.Told)
        {
            board.Check(
                "a result is recorded once: what callers were told is what stands there",
                told.State != "completed" || (told.State, told.Attempt, told.Result, told.ExitCode, told.StdoutBytes, told.StderrBytes) == (final.State, final.Attempt, final.Result, final.ExitCode, final.StdoutBytes, final.StderrBytes),
                () => $"{Name(known)}: told {told.State} attempt {told.Attempt} {told.Result}; stands there {final.State} attempt {final.Attempt} {final.Result}");
        }
    }

    private bool IsDisturbed(KnownJob known, JobView final)
    {
        TimeSpan ended = final.EndedAt is { } at ? known.BeganAt + (at - final.CreatedAt) + SubmissionChecks.Aftermath : TimeSpan.MaxValue;

        // A command for everybody has jobs on all nodes; a node is called n and its number.
        int target = final.TargetName is ['n', .. string number] && int.TryParse(number, CultureInfo.InvariantCulture, out int named) ? named : known.Item.Target;
        return history.IsDisturbed(known.Home, known.BeganAt, ended, SubmissionChecks.Aftermath) || history.IsDisturbed(target, known.BeganAt, ended, SubmissionChecks.Aftermath);
    }

    private static string Name(KnownJob known) => $"#{known.Item.Number} {known.Id} (n{known.Home} -> n{known.Item.Target} {known.Item.Kind}, at {known.BeganAt.TotalSeconds:0.0} s)";
}
