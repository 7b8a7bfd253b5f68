using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Parts that messages, events and the snapshot of a workflow share.</summary>
internal static class WorkflowParts
{
    public static WorkflowId ToWorkflowId(string text) => WorkflowId.TryParse(text, out WorkflowId id) ? id : throw new ContractException("no workflow id");

    public static Wire.StepSpec ToWire(StepSpec spec) => new()
    {
        Name = spec.Name,
        Job = WireParts.ToWire(spec.Job),
        Each = ArrayParts.ToWire(spec.Targets.Each),
        OneOf = { spec.Targets.OneOf },
        Needs = { spec.Needs.Select(need => new Wire.StepNeed { Condition = (int)need.Condition, Step = need.Step }) },
        Shell = spec.IsShell,
        AllowFailure = spec.AllowFailure,
        Inputs = { spec.Inputs.Select(input => new Wire.StepInput { Name = input.Name, Step = input.Step, Artifact = input.Artifact }) },
    };

    public static StepSpec FromWire(Wire.StepSpec? wire) => new(
        Required(wire).Name,
        WireParts.FromWire(wire!.Job),
        new StepTargets(ArrayParts.FromWire(wire.Each), [.. wire.OneOf]),
        [.. wire.Needs.Select(need => new StepNeed(ToEnum<DependencyCondition>(need.Condition), need.Step))],
        wire.Shell,
        wire.AllowFailure)
    {
        Inputs = [.. wire.Inputs.Select(input => new StepInput(input.Name, input.Step, input.Artifact))],
    };

    public static Wire.WorkflowSpec ToWire(WorkflowSpec spec)
    {
        var wire = new Wire.WorkflowSpec
        {
            Name = spec.Name,
            Variables = { spec.Variables.Select(pair => new Wire.WorkflowVariable { Name = pair.Key, Value = pair.Value }) },
            Caller = WireParts.ToWire(spec.Caller),
            Parallel = spec.Parallel,
            Steps = { spec.Steps.Select(ToWire) },
            Notify = DeliveryParts.ToWire(spec.Notify),
        };
        if (spec.IdempotencyKey is { } key)
        {
            wire.IdempotencyKey = key;
        }

        if (!spec.ForkOf.IsNone)
        {
            wire.ForkOf = spec.ForkOf.ToString();
        }

        return wire;
    }

    public static WorkflowSpec FromWire(Wire.WorkflowSpec? wire)
    {
        if (Required(wire).Steps.Count is 0 or > WorkflowSpec.StepsMax || wire!.Parallel is < 1 or > WorkflowSpec.StepsMax)
        {
            throw new ContractException("no steps of a workflow");
        }

        return new WorkflowSpec(
            wire.Name,
            [.. wire.Variables.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))],
            WireParts.FromWire(wire.Caller),
            wire.Parallel,
            [.. wire.Steps.Select(FromWire)],
            wire.HasIdempotencyKey ? wire.IdempotencyKey : null,
            wire.HasForkOf ? ToWorkflowId(wire.ForkOf) : default)
        {
            Notify = DeliveryParts.FromWire(wire.Notify),
        };
    }

    public static Wire.StepRun ToWire(StepRun run) => new() { Job = run.JobId.ToString(), Device = run.Device.ToString(), DeviceName = run.DeviceName, End = ToWire(run.End) };

    public static StepRun FromWire(Wire.StepRun wire) => new(ToJobId(wire.Job), ToDevice(wire.Device), wire.DeviceName, FromWire(wire.End));

    public static Wire.StepState ToWire(StepState step)
    {
        var wire = new Wire.StepState
        {
            Spec = ToWire(step.Spec),
            State = (int)step.Name,
            Generation = step.Generation,
            Runs = { step.Runs.Select(ToWire) },
            Problem = WireParts.ToWire(step.Problem),
            Taken = step.IsTaken,
        };
        if (step.BeganAt is { } began)
        {
            wire.BeganAt = WireParts.ToWire(began);
        }

        if (step.EndedAt is { } ended)
        {
            wire.EndedAt = WireParts.ToWire(ended);
        }

        return wire;
    }

    public static StepState FromWire(Wire.StepState wire) => new(
        FromWire(wire.Spec),
        ToEnum<StepStateName>(wire.State),
        wire.Generation >= 0 ? wire.Generation : throw new ContractException("no generation"),
        [.. wire.Runs.Select(FromWire)],
        WireParts.FromWire(wire.Problem),
        wire.HasBeganAt ? ToTime(wire.BeganAt) : null,
        wire.HasEndedAt ? ToTime(wire.EndedAt) : null,
        wire.Taken);

    public static Wire.WorkflowNow ToWire(WorkflowState state)
    {
        var wire = new Wire.WorkflowNow
        {
            Workflow = state.WorkflowId.ToString(),
            Spec = ToWire(state.Spec!),
            Steps = { state.Steps.Select(ToWire) },
            AcceptedAt = WireParts.ToWire(state.AcceptedAt),
            PausedBy = state.PausedBy is { } paused ? WireParts.ToWire(paused) : null,
            CancelledBy = state.CancelledBy is { } cancelled ? WireParts.ToWire(cancelled) : null,
            Rest = state.Rest is { } rest ? new Wire.WorkflowRest { State = (int)rest.State, At = WireParts.ToWire(rest.At), Delivery = DeliveryParts.ToWire(rest.Delivery) } : null,
        };
        if (state.EndedAt is { } ended)
        {
            wire.EndedAt = WireParts.ToWire(ended);
        }

        return wire;
    }

    public static WorkflowState FromWire(Wire.WorkflowNow? wire) => WorkflowState.None(ToWorkflowId(Required(wire).Workflow)) with
    {
        Spec = FromWire(wire!.Spec),
        Steps = [.. wire.Steps.Select(FromWire)],
        AcceptedAt = ToTime(wire.AcceptedAt),
        PausedBy = wire.PausedBy is { } paused ? WireParts.FromWire(paused) : null,
        CancelledBy = wire.CancelledBy is { } cancelled ? WireParts.FromWire(cancelled) : null,
        EndedAt = wire.HasEndedAt ? ToTime(wire.EndedAt) : null,
        Rest = wire.Rest is { } rest
            ? new WorkflowRest(ToEnum<JobStateName>(rest.State), ToTime(rest.At), Required(DeliveryParts.FromWire(rest.Delivery)))
            : null,
    };

    private static Wire.StepRunEnd? ToWire(StepRunEnd? end)
    {
        if (end is null)
        {
            return null;
        }

        var wire = new Wire.StepRunEnd { State = (int)end.State, Problem = WireParts.ToWire(end.Problem), ResultBytes = end.ResultBytes, EndedAt = WireParts.ToWire(end.EndedAt), Artifacts = { end.Artifacts.Select(ArtifactParts.ToWire) } };
        if (end.ExitCode is { } code)
        {
            wire.ExitCode = code;
        }

        if (end.Result is { } result)
        {
            wire.Result = result;
        }

        return wire;
    }

    private static StepRunEnd? FromWire(Wire.StepRunEnd? wire) => wire is null
        ? null
        : new StepRunEnd(
            ToEnum<JobStateName>(wire.State), wire.HasExitCode ? wire.ExitCode : null, WireParts.FromWire(wire.Problem), wire.HasResult ? wire.Result : null, wire.ResultBytes, ToTime(wire.EndedAt))
        {
            Artifacts = ArtifactParts.FromWire(wire.Artifacts),
        };
}
