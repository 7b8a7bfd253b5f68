using System.Text.Json;
using System.Text.RegularExpressions;
using AgentMesh.Node.Control;
using Soak.Nodes;
using Soak.Planning;

namespace Soak.Running;

/// <summary>Does what the plan says, each item when its time has come, and records what came of it.</summary>
internal sealed partial class Workload(SoakPlan plan, IReadOnlyList<SoakNode> nodes, RunClock clock, History history, string marks)
{
    /// <summary>So long after its timeout a command counts as hung. It is far above what is promised: how late an answer is, the checks say.</summary>
    private static readonly TimeSpan HungAfter = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan ReadsAtMost = TimeSpan.FromMinutes(3);

    private int _open;

    public int Open => _open;

    /// <summary>Until everything was answered and every reader has come to its end.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(plan.Work.Select(item => DoAsync(item, cancel)));

    private async Task DoAsync(WorkItem item, CancellationToken cancel)
    {
        await clock.UntilAsync(item.At, cancel);
        var submission = new Submission(item) { BeganAt = clock.Now };
        history.Submissions.Enqueue(submission);
        Interlocked.Increment(ref _open);
        List<Task> besides = [];
        try
        {
            await (item.ByCommandLine ? TypeAsync(submission) : SendAsync(submission, accepted => besides.AddRange(Besides(item, accepted, cancel))));
        }
        finally
        {
            submission.EndedAt = clock.Now;
            Interlocked.Decrement(ref _open);
        }

        if (item.ByCommandLine)
        {
            besides.AddRange(submission.Accepted.SelectMany(job => Besides(item, job, cancel)));
        }

        await Task.WhenAll(besides);
    }

    private async Task SendAsync(Submission submission, Action<JobView> accepted)
    {
        WorkItem item = submission.Item;
        string? target = item.Kind == WorkKind.Everywhere ? "@all" : "@" + nodes[item.Target].Name;
        bool isGrouped = item.Kind == WorkKind.Grouped;
        var request = new CommandRequest(
            item.Lines is null ? item.Line : null,
            target,
            isGrouped ? Marks.Around(Undertakings.MarksOf(marks, $"{Undertakings.Group}-{nodes[item.Home].Name}"), item.Lines!.Words) : item.Lines?.Words,
            item.Key,
            item.Queue,
            item.Detach,
            item.Timeout.TotalMilliseconds,
            Group: isGrouped ? Undertakings.Group : null);
        using var hung = new CancellationTokenSource(item.Timeout + HungAfter);
        try
        {
            await foreach (CommandEvent happened in nodes[item.Home].Client.RunAsync(request, hung.Token))
            {
                submission.Take(happened);
                if (happened.Type == "accepted")
                {
                    accepted(happened.Job!);
                }
            }
        }
        catch (CodedException coded)
        {
            submission.Take(coded.Problem);
        }
        catch (LostException lost)
        {
            submission.Lost = lost.Message;
        }
        catch (OperationCanceledException)
        {
            submission.IsHung = true;
        }
        catch (JsonException error)
        {
            submission.Broken = error.Message;
        }
    }

    private async Task TypeAsync(Submission submission)
    {
        WorkItem item = submission.Item;
        List<string> words = ["--json", "--timeout", $"{(int)item.Timeout.TotalSeconds}s"];
        if (item.Kind == WorkKind.Look)
        {
            words.AddRange(item.Line.Split(' '));
        }
        else
        {
            string target = item.Kind == WorkKind.Everywhere ? "@all" : "@" + nodes[item.Target].Name;
            string[] options = [.. item.Key is { } key ? (string[])["--key", key] : [], .. item.Queue ? ["--queue"] : (string[])[], .. item.Detach ? ["--detach"] : (string[])[]];
            words.AddRange(item.Lines is { } program ? ["run", .. options, target, "--", .. program.Words] : [.. options, target, .. item.Line.Split(' ')]);
        }

        Ran ran = await nodes[item.Home].RunAsync(item.Timeout + HungAfter, words);
        if (ran.Code is null)
        {
            submission.IsHung = true;
            return;
        }

        if (item.Kind != WorkKind.Look)
        {
            TakeLines(submission, ran.Out);
        }

        if (submission.Problems.Count == 0 && Code().Match(ran.Error) is { Success: true } coded)
        {
            submission.Take(new ProblemView(coded.Value, ran.Error.Trim(), null));
        }
        else if (ran.Code != 0 && submission.Problems.Count == 0 && submission.Ended.All(job => job.State == "completed"))
        {
            submission.Broken = $"no coded error: {ran}";
        }
    }

    private static void TakeLines(Submission submission, string output)
    {
        try
        {
            foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                submission.Take(JsonSerializer.Deserialize(line, ControlJson.Default.CommandEvent)!);
            }
        }
        catch (JsonException error)
        {
            submission.Broken = $"{error.Message}: {output[..Math.Min(300, output.Length)]}";
        }
    }

    private IEnumerable<Task> Besides(WorkItem item, JobView job, CancellationToken cancel)
    {
        if (item.CancelAfter is { } cancelAfter)
        {
            yield return CancelAsync(item, job.Id, cancelAfter, cancel);
        }

        if (item.FollowAfter is { } followAfter)
        {
            yield return FollowAsync(item, job.Id, followAfter, cancel);
        }
    }

    private async Task CancelAsync(WorkItem item, string job, TimeSpan after, CancellationToken cancel)
    {
        await Task.Delay(after, cancel);
        try
        {
            await nodes[item.Home].Client.PostAsync($"v1/job/cancel?id={Uri.EscapeDataString(job)}", ControlJson.Default.JobView, HungAfter);
            history.Cancellations.Enqueue(new Cancellation(job, null));
        }
        catch (CodedException coded)
        {
            history.Cancellations.Enqueue(new Cancellation(job, coded.Problem));
        }
        catch (Exception error) when (error is LostException or TimeoutException)
        {
            // Whether it was taken is not known: both is right.
        }
    }

    /// <summary>Reads to the end; when the home goes away in between, goes on at the byte where it was.</summary>
    private async Task FollowAsync(WorkItem item, string job, TimeSpan after, CancellationToken cancel)
    {
        await Task.Delay(after, cancel);
        NumberedLines program = item.Lines!;
        long from = (long)(item.FollowFrom * program.Stdout.Length);
        var tape = new OutputTape(program, from);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReadsAtMost);
        int resumed = 0;
        while (true)
        {
            try
            {
                int? attempt = tape.Attempt == 0 ? null : tape.Attempt;
                await foreach (OutputView piece in nodes[item.Home].Client.OutputAsync(job, "stdout", attempt, attempt is { } known ? tape.Next(known, "stdout") : from, follow: true, limit.Token))
                {
                    tape.Add(piece.Attempt, piece.Stream, piece.Offset, piece.Data.ToArray());
                }

                history.Readings.Enqueue(new Reading(job, tape, IsEnded: true, resumed, null));
                return;
            }
            catch (LostException)
            {
                resumed++;
                await Task.Delay(500, cancel);
            }
            catch (CodedException coded)
            {
                history.Readings.Enqueue(new Reading(job, tape, IsEnded: false, resumed, coded.Problem));
                return;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                history.Readings.Enqueue(new Reading(job, tape, IsEnded: false, resumed, null));
                return;
            }
        }
    }

    [GeneratedRegex(@"AM\d{4}", RegexOptions.None, 1000)]
    private static partial Regex Code();
}
