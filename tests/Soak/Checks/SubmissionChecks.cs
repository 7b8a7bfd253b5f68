using AgentMesh.Node.Control;
using Soak.Planning;
using Soak.Running;

namespace Soak.Checks;

/// <summary>What each caller was told: in time, with a code where it failed, and the right answer where it did not.</summary>
internal sealed class SubmissionChecks(History history, int nodes)
{
    /// <summary>What a busy machine may add to the timeout.</summary>
    public static readonly TimeSpan LateBy = TimeSpan.FromSeconds(5);

    /// <summary>So long after a fault the device that had it, and those that talk to it, may still notice.</summary>
    public static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);

    /// <summary>What a fault at the home or at the target may bring about.</summary>
    public static readonly IReadOnlySet<string> CodesOfFaults = new HashSet<string>(StringComparer.Ordinal)
    {
        "AM0304", // the device is offline
        "AM0320", // no answer in time
        "AM0209", // the node is starting
        "AM0220", // no node
        "AM0221", // the node went away in the middle of an answer
        "AM0224", // the node is stopped
    };

    public void Run(Board board)
    {
        foreach (Submission submission in history.Submissions)
        {
            Check(board, submission);
        }

        foreach (var same in history.Submissions.Where(submission => submission.Item.Key is not null).GroupBy(submission => (submission.Item.Home, submission.Item.Key)))
        {
            string[] jobs = [.. same.SelectMany(submission => submission.Accepted).Select(job => job.Id).Distinct(StringComparer.Ordinal)];
            string?[] results = [.. same.SelectMany(submission => submission.Ended).Where(job => job.State == "completed").Select(job => $"{job.Result} {job.ExitCode} {job.StdoutBytes}").Distinct(StringComparer.Ordinal)];
            board.Check("repeats of a key gave the same job and the same result", jobs.Length <= 1 && results.Length <= 1, () => $"key {same.Key.Key} at n{same.Key.Home}: jobs {string.Join(", ", jobs)}; results {string.Join(", ", results)}");
        }
    }

    private void Check(Board board, Submission submission)
    {
        WorkItem item = submission.Item;
        TimeSpan took = submission.EndedAt - submission.BeganAt;
        board.Check("every command was answered", submission is { IsHung: false, Broken: null }, () => $"{Name(submission)}: {submission.Broken ?? $"no answer after {took.TotalSeconds:0} s"}");

        TimeSpan limit = item.Timeout + LateBy + history.Away(item.Home, submission.BeganAt, submission.EndedAt);
        board.Check("every answer came within its timeout", submission.IsHung || took <= limit, () => $"{Name(submission)}: {took.TotalSeconds:0.0} s, {limit.TotalSeconds:0.0} s is the most");

        bool homeDisturbed = history.IsDisturbed(item.Home, submission.BeganAt, submission.EndedAt, Aftermath);
        board.Check("no node went away without a fault", submission.Lost is null || homeDisturbed, () => $"{Name(submission)}: {submission.Lost}");

        int[] involved = item.Kind == WorkKind.Everywhere ? [.. Enumerable.Range(0, nodes)] : [item.Home, item.Target];
        bool disturbed = involved.Any(node => history.IsDisturbed(node, submission.BeganAt, submission.EndedAt, Aftermath));
        foreach (ProblemView problem in submission.Problems)
        {
            board.Check("every refusal is one that a fault explains", disturbed && CodesOfFaults.Contains(problem.Code), () => $"{Name(submission)}: {problem.Code}: {problem.Message}{(disturbed ? "" : " (no fault at home or target)")}");
        }

        // What a home decides alone does not wait for others: an offline target is refused at once, everything else is accepted. A new generation takes seconds.
        bool mute = submission.Accepted.Count == 0 && submission.Problems.Any(problem => problem.Code is "AM0320" or "AM0209");
        board.Check(
            "a device that runs takes jobs, whatever its connections do",
            !mute || item.Timeout < AnswersWithin || history.WasAway(item.Home, submission.BeganAt, submission.EndedAt, Aftermath),
            () => $"{Name(submission)}: {string.Join(", ", submission.Problems.Select(problem => $"{problem.Code}: {problem.Message}"))}");

        if (!item.Detach && item.Kind != WorkKind.Look && submission is { Lost: null, IsHung: false } && submission.Problems.Count == 0)
        {
            int expected = item.Kind == WorkKind.Everywhere ? nodes : 1;
            board.Check("every accepted command that was waited for told its end", submission.Ended.Count == expected && submission.Accepted.Count == expected, () => $"{Name(submission)}: {submission.Accepted.Count} accepted, {submission.Ended.Count} ended");
        }

        foreach (JobView job in submission.Ended)
        {
            CheckEnd(board, submission, job);
        }

        if (submission.Tape is { } tape)
        {
            board.Check("a waiting caller got its output without gap or repeat", tape.Wrong is null, () => $"{Name(submission)}: {tape.Wrong}");
            if (submission.Ended is [{ State: "completed" } job] && !item.Detach)
            {
                board.Check(
                    "a waiting caller got the whole output of the final attempt",
                    tape.IsWhole(job.Attempt, "stdout") && tape.IsWhole(job.Attempt, "stderr"),
                    () => $"{Name(submission)}: {job.Id} attempt {job.Attempt}: {tape.Next(job.Attempt, "stdout")} of {item.Lines!.Stdout.Length} bytes, stderr {tape.Next(job.Attempt, "stderr")} of {item.Lines.Stderr.Length}");
            }
        }
    }

    private static void CheckEnd(Board board, Submission submission, JobView job)
    {
        WorkItem item = submission.Item;
        board.Check(
            "every result that was told is right",
            job.State != "completed" || item.Answer is null || job.Result == item.Answer,
            () => $"{Name(submission)}: {job.Id}: {job.Result} instead of {item.Answer}");
    }

    private static string Name(Submission submission)
    {
        WorkItem item = submission.Item;
        string jobs = string.Join(", ", submission.Accepted.Select(job => job.Id));
        return $"#{item.Number} at {submission.BeganAt.TotalSeconds:0.0}-{submission.EndedAt.TotalSeconds:0.0} s n{item.Home} -> n{item.Target} {item.Kind}{(jobs.Length > 0 ? $" ({jobs})" : "")}";
    }
}
