using System.Globalization;
using System.Text.RegularExpressions;
using Soak.Checks;
using Soak.Planning;
using Soak.Running;

namespace Soak;

/// <summary>What a run did, what was checked, and what was violated.</summary>
internal sealed partial class SoakReport(SoakOptions options, SoakPlan plan, History history, Board board)
{
    private const int ShownMax = 200;

    public void Write(TextWriter output)
    {
        Submission[] submissions = [.. history.Submissions];
        output.WriteLine();
        output.WriteLine($"faults: {history.Faults.Count}: {Counts(history.Faults.Select(run => run.Fault.Kind.ToString().ToLowerInvariant()))}");
        output.WriteLine($"commands: {submissions.Length}: {Counts(submissions.Select(submission => submission.Item.Kind.ToString().ToLowerInvariant()))}");
        output.WriteLine($"  {submissions.Count(submission => submission.Item.Key is not null)} with a key, {submissions.Count(submission => submission.Item.Queue)} queued, {history.Cancellations.Count} cancelled, {history.Readings.Count} followed by a second reader ({history.Readings.Sum(reading => reading.Resumed)} times resumed)");
        output.WriteLine($"  {submissions.Sum(submission => submission.Accepted.Count)} accepted; {submissions.Count(submission => submission.Lost is not null)} lost their node; coded errors: {Counts(submissions.SelectMany(submission => submission.Problems).Select(problem => problem.Code))}");
        foreach (IGrouping<string, string> same in submissions.SelectMany(submission => submission.Problems).Select(problem => $"{problem.Code}: {Variable().Replace(problem.Message, "~")}").GroupBy(text => text).OrderByDescending(same => same.Count()).Take(12))
        {
            output.WriteLine($"    {same.Count()} x {same.Key}");
        }

        UndertakingRun[] undertakings = [.. history.Undertakings];
        output.WriteLine($"undertakings: {undertakings.Length}: {Counts(undertakings.Select(run => run.Item.Tag.Split('-')[2]))}; {undertakings.Sum(run => run.Lost)} times their home went away; coded errors: {Counts(undertakings.SelectMany(run => run.Problems).Select(problem => problem.Code))}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"calculations between undisturbed devices: {Latencies(submissions)}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory of a node: at most {history.Memory.Values.SelectMany(life => life).Select(sample => sample.Bytes).DefaultIfEmpty().Max() >> 20} MB in {history.Memory.Count} lives"));
        output.WriteLine("checks:");
        foreach (string line in board.Lines())
        {
            output.WriteLine(line);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"soak: seed {options.Seed}, {plan.Length.TotalMinutes} min, {board.Violations.Count} violations"));
        foreach (string violation in board.Violations.Take(ShownMax))
        {
            output.WriteLine("  " + violation);
        }
    }

    private string Latencies(IEnumerable<Submission> submissions)
    {
        double[] took =
        [
            .. submissions.Where(submission => submission.Item is { Kind: WorkKind.Calc, ByCommandLine: false, Detach: false } && submission.Ended.Count == 1
                    && !history.IsDisturbed(submission.Item.Home, submission.BeganAt, submission.EndedAt, SubmissionChecks.Aftermath)
                    && !history.IsDisturbed(submission.Item.Target, submission.BeganAt, submission.EndedAt, SubmissionChecks.Aftermath))
                .Select(submission => (submission.EndedAt - submission.BeganAt).TotalMilliseconds).Order(),
        ];
        return took.Length == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{took.Length}, median {took[took.Length / 2]:0} ms, 95 % {took[took.Length * 95 / 100]:0} ms, slowest {took[^1]:0} ms");
    }

    private static string Counts(IEnumerable<string> words)
    {
        string text = string.Join(", ", words.GroupBy(word => word).OrderByDescending(same => same.Count()).Select(same => $"{same.Count()} {same.Key}"));
        return text.Length == 0 ? "none" : text;
    }

    /// <summary>What differs from one message to the next: jobs, nodes and numbers.</summary>
    [GeneratedRegex(@"\b(n\d|\d+|job/\S+|job [0-9a-z]{7})\b", RegexOptions.None, 1000)]
    private static partial Regex Variable();
}
