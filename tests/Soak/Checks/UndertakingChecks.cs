using System.Globalization;
using System.Text;
using AgentMesh.Node.Control;
using Soak.Nodes;
using Soak.Planning;
using Soak.Running;

namespace Soak.Checks;

/// <summary>Where arrays, pipes, workflows and schedules stand at the end, seen from their homes.</summary>
internal sealed class UndertakingChecks(IReadOnlyList<SoakNode> nodes, History history, Board board)
{
    /// <summary>A stage was away for too long, or ended because another one did.</summary>
    private static readonly string[] CodesOfBrokenPipes = ["AM0362", "AM0363"];

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(30);

    private readonly Settling _settling = new(nodes);

    public async Task RunAsync()
    {
        UndertakingRun[] runs = [.. history.Undertakings];
        foreach (UndertakingRun run in runs.Where(run => run is { Item: CronUndertaking, Id: not null }))
        {
            CronView? disabled = await _settling.AskAsync(run.Item.Home, $"v1/cron/disable?name={run.Item.Tag}", ControlJson.Default.CronView);
            board.Check("a schedule can be disabled", disabled is { Enabled: false }, () => Name(run));
        }

        foreach (UndertakingRun run in runs)
        {
            CheckTaking(run);
            await (run.Item switch
            {
                PipeUndertaking pipe => CheckAsync(run, pipe),
                _ when run.Id is null => Task.CompletedTask,
                ArrayUndertaking array => CheckAsync(run, array),
                WorkflowUndertaking workflow => CheckAsync(run, workflow),
                CronUndertaking cron => CheckAsync(run, cron),
                _ => Task.CompletedTask,
            });
        }

        foreach (SoakNode node in nodes)
        {
            IReadOnlyList<string> busy = await _settling.IdleAsync(node.Index);
            board.Check("no home has work under way at the end", busy.Count == 0, () => $"{node.Name}: {string.Join("; ", busy)}");
        }
    }

    private void CheckTaking(UndertakingRun run)
    {
        board.Check("every array, pipe, workflow and schedule was answered", !run.IsHung, () => Name(run));
        string[] ids = [.. run.Ids.Distinct(StringComparer.Ordinal)];
        board.Check("a repeat of an array, workflow or schedule is the same one", ids.Length <= 1, () => $"{Name(run)}: {string.Join(", ", ids)}");
        bool disturbed = history.IsAnyDisturbed(run.BeganAt, run.EndedAt, SubmissionChecks.Aftermath);
        foreach (ProblemView problem in run.Problems)
        {
            board.Check(
                "every refusal is one that a fault explains",
                disturbed && (SubmissionChecks.CodesOfFaults.Contains(problem.Code) || (run.Item is PipeUndertaking && CodesOfBrokenPipes.Contains(problem.Code))),
                () => $"{Name(run)}: {problem.Code}: {problem.Message}{(disturbed ? "" : " (no fault)")}");
        }
    }

    private async Task CheckAsync(UndertakingRun run, ArrayUndertaking item)
    {
        ArrayView? array = await _settling.ArrayAsync(item.Home, run.Id!);
        board.Check("every array comes to its end", array is { State: "completed" }, () => $"{Name(run)}: {array?.State ?? "unknown"}, {array?.Waiting} wait, {array?.Running} run, {array?.Failed} failed: {array?.Reason}");
        ArrayElementPage? page = await _settling.UntilAsync(
            () => nodes[item.Home].Client.GetAsync($"v1/array/elements?id={Uri.EscapeDataString(run.Id!)}&from=0&limit=1000", ControlJson.Default.ArrayElementPage, AnswersWithin), _ => true);
        ArrayElementView[] elements = [.. page?.Elements ?? []];
        board.Check(
            "an array has each element once",
            elements.Select(element => element.Number).SequenceEqual(Enumerable.Range(item.First, item.Count)) && elements.Select(element => element.Job).Distinct().Count() == item.Count,
            () => $"{Name(run)}: {string.Join(", ", elements.Select(element => $"{element.Number} {element.Job}"))}");
        foreach (ArrayElementView element in elements.Where(element => element.State == "completed"))
        {
            string answer = item.IsProgram ? await PrintedAsync(item.Home, element.Job!) : element.Result ?? "";
            string expected = item.IsProgram ? item.Printed(element.Number) : item.Answer(element.Number);
            board.Check("an element of an array has its result", answer == expected, () => $"{Name(run)}: {element.Number}, {element.Job}: '{answer}' instead of '{expected}'");
        }
    }

    private async Task CheckAsync(UndertakingRun run, PipeUndertaking pipe)
    {
        int last = pipe.Through.Count - 1;
        OutputTape tape = run.Tape!;
        board.Check("what came out of a pipe has no gap, no repeat and nothing foreign", tape.Wrong is null, () => $"{Name(run)}: {tape.Wrong}");
        bool isTold = run.Ended.Count == pipe.Through.Count && run.Ended.Values.All(job => job.State == "completed");
        board.Check("what came out of a pipe that completed is what went in", !isTold || (tape.IsWhole(1, "stdout") && tape.IsWhole(1, "stderr")), () => $"{Name(run)}: {tape.Next(1, "stdout")} of {pipe.Lines.Stdout.Length} bytes, stderr {tape.Next(1, "stderr")} of {pipe.Lines.Stderr.Length}");
        bool calm = pipe.Through.Append(pipe.Home).All(node => !history.IsDisturbed(node, run.BeganAt, run.EndedAt, SubmissionChecks.Aftermath));
        board.Check("a pipe between undisturbed devices completes", isTold || !calm, () => $"{Name(run)}: {string.Join(", ", run.Problems.Select(problem => $"{problem.Code}: {problem.Message}"))} {Ends(run.Ended)}");

        // Its home may have gone away in the middle: then the stages go on by themselves.
        var finals = new SortedDictionary<int, JobView>();
        foreach ((int stage, JobView accepted) in run.Accepted)
        {
            JobView? final = await _settling.JobAsync(pipe.Home, accepted.Id);
            board.Check("every stage of a pipe has come to rest", final is not null && JobChecks.IsAtRest(final), () => $"{Name(run)}: {accepted.Id} {final?.State}");
            if (final is not null)
            {
                finals[stage] = final;
            }
        }

        if (finals.GetValueOrDefault(last) is { State: "completed" } end)
        {
            board.Check("the last stage of a pipe completes only when all before it did", finals.Count == last + 1 && finals.Values.All(job => job.State == "completed"), () => $"{Name(run)}: {Ends(finals)}");
            string printed = await PrintedAsync(pipe.Home, end.Id);
            string whole = Encoding.ASCII.GetString(pipe.Lines.Stdout);
            board.Check("what the last stage recorded is what the first one produced", printed == whole, () => $"{Name(run)}: {end.Id}: {printed.Length} bytes instead of {whole.Length}");
        }
    }

    private async Task CheckAsync(UndertakingRun run, WorkflowUndertaking item)
    {
        WorkflowView? workflow = await _settling.WorkflowAsync(item.Home, run.Id!);
        WorkflowStepView[] steps = [.. workflow?.Steps ?? []];
        board.Check("every workflow comes to its end", workflow is { State: "completed" }, () => $"{Name(run)}: {workflow?.State ?? "unknown"}, {workflow?.Problem?.Code} {workflow?.Problem?.Message}: {string.Join(", ", steps.Select(step => $"{step.Name} {step.State} {step.Reason}"))}");
        if (workflow is not { State: "completed" })
        {
            return;
        }

        for (int i = 0; i < item.Steps.Count; i++)
        {
            WorkflowStepView? step = steps.FirstOrDefault(step => step.Name == PlannedStep.NameOf(i));
            string expected = item.ValueOf(i).ToString(CultureInfo.InvariantCulture);
            WorkflowJobView[] completed = [.. step?.Jobs.Where(job => job.State == "completed") ?? []];
            board.Check("a step of a workflow has one result, the right one", completed is [{ } job] && job.Result == expected, () => $"{Name(run)}: step {i} {step?.State}: {string.Join(", ", completed.Select(job => $"{job.Id} {job.Result}"))} instead of {expected}");
        }
    }

    private async Task CheckAsync(UndertakingRun run, CronUndertaking item)
    {
        CronView? cron = await _settling.UntilAsync(
            () => nodes[item.Home].Client.GetAsync($"v1/cron?name={item.Tag}", ControlJson.Default.CronView, AnswersWithin), view => view.Waiting is null);
        board.Check("every schedule is known at its home", cron is not null, () => Name(run));
        foreach (CronRunView fired in cron?.Runs ?? [])
        {
            JobView? job = await _settling.CompletedJobAsync(item.Home, fired.Job);
            board.Check("every run of a schedule has the right result", job is { State: "completed" } && job.Result == item.Answer, () => $"{Name(run)}: {fired.Nominal:u} {fired.Job} {job?.State} {job?.Reason}: {job?.Result} instead of {item.Answer}");
        }
    }

    private async Task<string> PrintedAsync(int home, string job)
    {
        using var printed = new MemoryStream();
        bool isRead = await MeshChecks.EventuallyAsync(AnswersWithin, async () =>
        {
            printed.SetLength(0);
            await foreach (OutputView piece in nodes[home].Client.OutputAsync(job, "stdout", null, 0, follow: false, CancellationToken.None))
            {
                printed.Write(piece.Data.Span);
            }

            return true;
        });
        return isRead ? Encoding.UTF8.GetString(printed.ToArray()) : "(not read)";
    }

    private static string Ends(IEnumerable<KeyValuePair<int, JobView>> stages) =>
        string.Join(", ", stages.Select(stage => $"stage {stage.Key} {stage.Value.Id} {stage.Value.State} {stage.Value.ExitCode} {stage.Value.Problem?.Code} {stage.Value.Reason}"));

    private static string Name(UndertakingRun run) => string.Create(CultureInfo.InvariantCulture, $"{run.Item.Tag} at {run.BeganAt.TotalSeconds:0.0}-{run.EndedAt.TotalSeconds:0.0} s n{run.Item.Home} {run.Item.What} ({run.Id})");
}
