using System.Globalization;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Workflows;

/// <summary>What the home of a workflow decides. Pure: the state, the devices and the time in; the event to be journalled out.</summary>
public static class WorkflowRules
{
    /// <summary>What is due now; null for nothing.</summary>
    /// <param name="devicesFor">Those on which a step may run, online or not.</param>
    public static IWorkflowEvent? Next(WorkflowState workflow, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> devicesFor, DateTimeOffset now)
    {
        if (!workflow.Exists || workflow.EndedAt is not null)
        {
            return null;
        }

        int running = workflow.Running.Count();
        if (workflow.CancelledBy is not null)
        {
            return running == 0 ? new WorkflowEndedEvent(now) : null;
        }

        StepState[] waiting = [.. workflow.Steps.Where(step => step.Name == StepStateName.Waiting)];
        ValueList<string> omitted = [.. waiting.Where(step => IsReady(workflow, step) == false).Select(step => step.Spec.Name)];
        if (!omitted.IsEmpty)
        {
            return new StepsOmittedEvent(now, omitted);
        }

        if (workflow.Steps.All(step => step.IsOver))
        {
            return new WorkflowEndedEvent(now);
        }

        return workflow.Name == WorkflowStateName.Running && running < workflow.Spec!.Parallel
            ? waiting.Where(step => IsReady(workflow, step) == true).Select(step => Begin(workflow, step, devicesFor, now)).FirstOrDefault(change => change is not null)
            : null;
    }

    /// <summary>True when it may begin, false when it never may, null while that is open.</summary>
    public static bool? IsReady(WorkflowState workflow, StepState step)
    {
        bool isOpen = false;
        foreach (StepNeed need in step.Spec.Needs)
        {
            bool? isMet = IsMet(need.Condition, workflow.Find(need.Step)!);
            if (isMet == false)
            {
                return false;
            }

            isOpen |= isMet is null;
        }

        return isOpen ? null : true;
    }

    private static bool? IsMet(DependencyCondition condition, StepState needed) => !needed.IsOver ? null : condition switch
    {
        DependencyCondition.Ok => needed.Name is StepStateName.Completed or StepStateName.Skipped,
        DependencyCondition.Fail => needed.Name == StepStateName.Failed,
        _ => true,
    };

    private static IWorkflowEvent? Begin(WorkflowState workflow, StepState step, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> devicesFor, DateTimeOffset now)
    {
        (IReadOnlyList<ArrayDevice> devices, string? absence) = Choose(step.Spec.Targets, devicesFor);
        if (absence is not null)
        {
            return null;
        }

        if (devices.Count > WorkflowSpec.DevicesOfStepMax)
        {
            return new StepNotBegunEvent(now, step.Spec.Name, new Problem(
                MeshErrors.WorkflowTooLarge, $"{step.Spec.Targets.Selector} are {devices.Count} devices; {WorkflowSpec.DevicesOfStepMax} are the most for a step", "name fewer, or use an array: docs/arrays.md"));
        }

        try
        {
            JobCommand command = Fill(workflow, step.Spec);
            _ = InputsOf(workflow, step.Spec);
            int length = StepText.Of(command).Sum(text => text.Length);
            if (length > JobCommand.BytesMax / 2)
            {
                return new StepNotBegunEvent(now, step.Spec.Name, new Problem(
                    MeshErrors.WorkflowTooLarge, $"the command has {length} characters with its values; {JobCommand.BytesMax / 2} are the most", "pass long values in a file"));
            }
        }
        catch (MeshException wrong)
        {
            return new StepNotBegunEvent(now, step.Spec.Name, new Problem(wrong.Code, wrong.Message, wrong.NextStep));
        }

        int generation = step.Generation + 1;
        return new StepBegunEvent(now, step.Spec.Name, generation, [.. devices.Select(device => new StepRun(workflow.WorkflowId.JobOf(step.Spec.Name, device.Id, generation), device.Id, device.Name))]);
    }

    /// <summary>A device that was named is taken whether it is there or not: its job waits. Of a group those are taken that are online.</summary>
    /// <returns>Why the step cannot begin yet, in words, where it cannot.</returns>
    public static (IReadOnlyList<ArrayDevice> Devices, string? Absence) Choose(StepTargets targets, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> devicesFor)
    {
        ArrayTargets each = targets.Each;
        var chosen = devicesFor(each).Where(device => device.IsOnline || each.Devices.Contains(device.Id)).ToList();
        foreach (string label in targets.OneOf)
        {
            ArrayDevice? least = devicesFor(new ArrayTargets(each.Selector, Everybody: false, [], [label])).Where(device => device.IsOnline).OrderBy(device => device.Running).ThenBy(device => device.Name, StringComparer.Ordinal).FirstOrDefault();
            if (least is null)
            {
                return ([], $"no device with the label {label} is online");
            }

            if (chosen.All(device => device.Id != least.Id))
            {
                chosen.Add(least);
            }
        }

        return (chosen, chosen.Count > 0 ? null : $"no device of {each.Selector} is online");
    }

    /// <exception cref="MeshException">AM0379: a value is not there.</exception>
    public static JobCommand Fill(WorkflowState workflow, StepSpec step) => StepText.Fill(step, reference => ValueOf(workflow, reference));

    public static SubmitJob Submission(WorkflowState workflow, StepState step, StepRun run)
    {
        StepSpec spec = step.Spec;
        return new SubmitJob(run.JobId, spec.Job with
        {
            Command = Fill(workflow, spec),
            Inputs = InputsOf(workflow, spec),
            Target = new JobTarget(run.Device, spec.Targets.Selector, run.DeviceName),
            Retry = spec.Job.Retry with { FailWhenUsedUp = true },
            IdempotencyKey = string.Create(CultureInfo.InvariantCulture, $"{workflow.WorkflowId}/{spec.Name}/{step.Generation}/{run.Device}"),
            QueueWhenOffline = true,
            Owner = new JobOwner(workflow.WorkflowId.ToString(), spec.Name),
        });
    }

    /// <exception cref="MeshException">AM0379: the artifact of a step is not there, or there are several.</exception>
    public static ValueList<ArtifactInput> InputsOf(WorkflowState workflow, StepSpec step) => [.. step.Job.Inputs, .. step.Inputs.Select(input => InputOf(workflow, input))];

    private static ArtifactInput InputOf(WorkflowState workflow, StepInput input) =>
        workflow.Find(input.Step)!.Runs.SelectMany(run => run.End?.Artifacts ?? []).Where(artifact => artifact.Name == input.Artifact).DistinctBy(artifact => artifact.Hash).ToArray() switch
        {
            [var one] => new ArtifactInput(input.Name, one.Hash, one.Size),
            [] => throw new MeshException(MeshErrors.NoValue, $"step {input.Step} left no artifact {input.Artifact} behind", "it was skipped or failed; edit this step, or fork the workflow from that one"),
            var several => throw new MeshException(MeshErrors.NoValue, $"step {input.Step} left {several.Length} different artifacts {input.Artifact} behind, one on each device", "let it run on one device, or use a step for each"),
        };

    /// <param name="output">What a program wrote, where it is short enough; null otherwise.</param>
    public static StepRunEnd End(JobView job, string? output, DateTimeOffset now)
    {
        string? text = job.Result?.Text ?? output;
        long bytes = job.Result?.Text is { } result ? Encoding.UTF8.GetByteCount(result) : job.Result?.StdoutBytes ?? 0;
        string? value = bytes > WorkflowSpec.ValueBytesMax ? null : (text ?? (bytes == 0 ? "" : null))?.TrimEnd('\n', '\r');
        return new StepRunEnd(job.State, job.Result?.ExitCode, job.Problem, value, bytes, job.EndedAt ?? now) { Artifacts = job.Result?.Artifacts ?? [] };
    }

    public static Problem WhyFailed(StepRun run) => run.End!.Problem is { } problem
        ? problem with { Text = $"{run.DeviceName}: {problem.Text}" }
        : new Problem(MeshErrors.StepFailed, $"the job on {run.DeviceName} was {run.End.State.ToString().ToLowerInvariant()}", $"'agentmesh job show {run.JobId.Short}' tells more");

    /// <summary>Steps whose results a fork from a step takes over: those that are over and do not come after it.</summary>
    public static ValueList<StepState> TakenByFork(WorkflowState workflow, string fromStep)
    {
        var anew = new HashSet<string>(StringComparer.Ordinal) { fromStep };
        while (workflow.Steps.Any(step => !anew.Contains(step.Spec.Name) && step.Spec.Needs.Any(need => anew.Contains(need.Step)) && anew.Add(step.Spec.Name)))
        {
        }

        return [.. workflow.Steps.Where(step => step.IsOver && step.Name != StepStateName.Cancelled && !anew.Contains(step.Spec.Name))];
    }

    /// <summary>Why the workflow does not go on; null where it does.</summary>
    public static Problem? Reason(WorkflowState workflow)
    {
        if (workflow.Steps.FirstOrDefault(step => step.Blocks) is { } failed && workflow.EndedAt is null)
        {
            string id = workflow.WorkflowId.Short, name = failed.Spec.Name;
            return new Problem(
                failed.Problem?.Code ?? MeshErrors.StepFailed,
                $"step {name} failed: {failed.Problem?.Text}",
                $"'agentmesh workflow edit {id} {name}' changes it, 'workflow resume {id}' tries it again, 'workflow skip {id} {name}' goes on without it, 'workflow cancel {id}' ends all");
        }

        return workflow.PausedBy is { } by
            ? new Problem(MeshErrors.WorkflowPaused, $"{by.User}@{by.DeviceName} paused it", $"'agentmesh workflow resume {workflow.WorkflowId.Short}' goes on")
            : null;
    }

    /// <summary>What a step that waits waits for; null where it is about to begin.</summary>
    public static string? WaitingFor(WorkflowState workflow, StepState step, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> devicesFor)
    {
        string[] open = [.. step.Spec.Needs.Where(need => IsMet(need.Condition, workflow.Find(need.Step)!) is null).Select(need => need.Step)];
        return open.Length > 0
            ? $"after {string.Join(", ", open)}"
            : workflow.Name != WorkflowStateName.Running
                ? $"the workflow is {workflow.Name.ToString().ToLowerInvariant()}"
                : Choose(step.Spec.Targets, devicesFor).Absence ?? (workflow.Running.Count() >= workflow.Spec!.Parallel ? $"{workflow.Spec.Parallel} steps at the same time are allowed" : null);
    }

    private static string ValueOf(WorkflowState workflow, StepText.Reference reference)
    {
        string first = reference.Names[1];
        switch (reference.Names)
        {
            case [StepText.Variables, _]:
                return workflow.Spec!.Variables.FirstOrDefault(pair => pair.Key == first).Value ?? throw NoValue(reference, $"known are: {string.Join(", ", workflow.Spec.Variables.Select(pair => pair.Key))}");
            case [StepText.Workflow, "id"]:
                return workflow.WorkflowId.ToString();
            case [StepText.Workflow, "name"]:
                return workflow.Spec!.Name;
            case [StepText.Steps, _, var field] when workflow.Find(first) is { IsOver: true } step:
                return FieldOf(step, field) ?? throw NoValue(reference, Nearest.Of(field, StepText.StepFields) is { } near ? $"did you mean {near}?" : $"known are: {string.Join(", ", StepText.StepFields)}");
            default:
                throw NoValue(reference, "docs/workflows.md names those there are");
        }
    }

    private static string? FieldOf(StepState step, string field) => field switch
    {
        "result" or "exit-code" when step.Name is StepStateName.Skipped or StepStateName.Omitted => "",
        "result" => string.Join('\n', step.Runs.Select(run => ResultOf(step, run))),
        "exit-code" => string.Join('\n', step.Runs.Select(run => run.End?.ExitCode?.ToString(CultureInfo.InvariantCulture) ?? "")),
        "state" => step.Name.ToString().ToLowerInvariant(),
        "device" => string.Join('\n', step.Runs.Select(run => run.DeviceName)),
        "job" => string.Join('\n', step.Runs.Select(run => run.JobId.ToString())),
        _ => null,
    };

    private static string ResultOf(StepState step, StepRun run) => run.End is { Result: null, ResultBytes: > 0 and var bytes }
        ? throw new MeshException(
            MeshErrors.NoValue,
            bytes > WorkflowSpec.ValueBytesMax
                ? $"the result of step {step.Spec.Name} on {run.DeviceName} has {bytes} bytes; {WorkflowSpec.ValueBytesMax} are the most that fit into a command"
                : $"the result of step {step.Spec.Name} on {run.DeviceName} is not there any more",
            "let the step print less, or write a file that the other one reads")
        : run.End?.Result ?? "";

    private static MeshException NoValue(StepText.Reference reference, string next) => new(MeshErrors.NoValue, $"there is no value {{{{{string.Join('.', reference.Names)}}}}}", next);
}
