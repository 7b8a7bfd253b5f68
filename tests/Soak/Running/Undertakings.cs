using System.Text.Json.Serialization.Metadata;
using AgentMesh.Node.Control;
using Soak.Nodes;
using Soak.Planning;

namespace Soak.Running;

/// <summary>Begins what the plan says. An array, a workflow and a schedule are asked for until they are taken, and once more after that.</summary>
/// <param name="marks">The folder for what programs say of themselves.</param>
internal sealed class Undertakings(SoakPlan plan, IReadOnlyList<SoakNode> nodes, RunClock clock, History history, string marks)
{
    public const string Group = "soak";
    public const int GroupMax = 2;

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HungAfter = TimeSpan.FromSeconds(90);

    /// <summary>Until each was taken, and the pipes are over.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(plan.Undertakings.Select(item => DoAsync(item, cancel)));

    public static string MarksOf(string folder, string what) => Path.Combine(folder, what);

    private async Task DoAsync(Undertaking item, CancellationToken cancel)
    {
        await clock.UntilAsync(item.At, cancel);
        var run = new UndertakingRun(item) { BeganAt = clock.Now };
        history.Undertakings.Enqueue(run);
        try
        {
            await (item switch
            {
                ArrayUndertaking array => TakeAsync(run, "v1/arrays", RequestOf(array), ControlJson.Default.ArrayRequest, ControlJson.Default.ArrayView, view => view.Id, cancel),
                WorkflowUndertaking workflow => TakeAsync(
                    run,
                    "v1/workflows",
                    new WorkflowRequest(workflow.File(node => nodes[node].Name, MarksOf(marks, "workflows")), workflow.Tag, IdempotencyKey: workflow.Tag),
                    ControlJson.Default.WorkflowRequest,
                    ControlJson.Default.WorkflowView,
                    view => view.Id,
                    cancel),
                CronUndertaking cron => TakeAsync(run, "v1/crons", RequestOf(cron), ControlJson.Default.CronRequest, ControlJson.Default.CronView, view => view.Id, cancel),
                PipeUndertaking pipe => PipeAsync(run, pipe, cancel),
                _ => throw new InvalidOperationException(item.What),
            });
        }
        finally
        {
            run.EndedAt = clock.Now;
        }
    }

    private ArrayRequest RequestOf(ArrayUndertaking array) => new(
        array.IsProgram ? null : array.Line, "@all", array.IsProgram ? array.Words(MarksOf(marks, "arrays")) : null, array.Range, IdempotencyKey: array.Tag);

    private CronRequest RequestOf(CronUndertaking cron) => new(
        cron.Tag, "* * * * *", "UTC", "@" + nodes[cron.Target].Name, cron.Line, Missed: cron.Missed, Overlap: cron.Overlap);

    /// <summary>A repeat has the same key, and is to have the same answer.</summary>
    private async Task TakeAsync<TIn, TOut>(UndertakingRun run, string path, TIn request, JsonTypeInfo<TIn> requestType, JsonTypeInfo<TOut> type, Func<TOut, string> idOf, CancellationToken cancel)
    {
        int answers = 0;
        while (answers < 2)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                run.Took(idOf(await nodes[run.Item.Home].Client.PostAsync(path, request, requestType, type, AnswersWithin)));
                answers++;
            }
            catch (CodedException coded)
            {
                run.Problems.Enqueue(coded.Problem);
            }
            catch (Exception error) when (error is LostException or TimeoutException)
            {
                run.Lost++;
            }

            if (clock.Now - run.BeganAt > plan.Length + HungAfter)
            {
                run.IsHung = true;
                return;
            }

            await Task.Delay(AskAgainAfter, cancel);
        }
    }

    private async Task PipeAsync(UndertakingRun run, PipeUndertaking pipe, CancellationToken cancel)
    {
        using var hung = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        hung.CancelAfter(pipe.Timeout + HungAfter);
        int last = pipe.Through.Count - 1;
        try
        {
            await foreach (CommandEvent happened in nodes[pipe.Home].Client.PipeAsync(new PipeRequest(pipe.Line(node => nodes[node].Name), pipe.Timeout.TotalMilliseconds), hung.Token))
            {
                switch (happened)
                {
                    case { Type: "accepted", Job: { } job, Stage: { } stage }:
                        run.Accepted[stage] = job;
                        break;
                    case { Type: "ended", Job: { } job, Stage: { } stage }:
                        run.Ended[stage] = job;
                        break;
                    case { Type: "output", Output: { } piece, Stage: { } stage } when piece.Stream == (stage == last ? "stdout" : "stderr"):
                        run.Tape!.Add(piece.Attempt, piece.Stream, piece.Offset, piece.Data.Span);
                        break;
                    case { Type: "problem", Problem: { } problem }:
                        run.Problems.Enqueue(problem);
                        break;
                }
            }
        }
        catch (CodedException coded)
        {
            run.Problems.Enqueue(coded.Problem);
        }
        catch (LostException)
        {
            run.Lost++;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            run.IsHung = true;
        }
    }
}
