using System.Collections.Immutable;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Parts that messages, events and the snapshot of an array share.</summary>
internal static class ArrayParts
{
    public static ArrayId ToArrayId(string text) => ArrayId.TryParse(text, out ArrayId id) ? id : throw new ContractException("no array id");

    public static int ToIndex(int index) => index is >= 0 and < ArrayItems.CountMax ? index : throw new ContractException($"{index} is no index of an element");

    public static Wire.ArrayTargets ToWire(ArrayTargets targets) => new()
    {
        Selector = targets.Selector,
        Everybody = targets.Everybody,
        Devices = { targets.Devices.Select(device => device.ToString()) },
        Labels = { targets.Labels },
    };

    public static ArrayTargets FromWire(Wire.ArrayTargets? wire) => new(Required(wire).Selector, wire!.Everybody, [.. wire.Devices.Select(ToDevice)], [.. wire.Labels]);

    public static Wire.ArraySpec ToWire(ArraySpec spec)
    {
        var wire = new Wire.ArraySpec
        {
            Job = WireParts.ToWire(spec.Job),
            Targets = ToWire(spec.Targets),
            Names = { spec.Items.Names },
            Cells = { spec.Items.Cells },
            Notify = DeliveryParts.ToWire(spec.Notify),
        };
        if (spec.Parallel is { } parallel)
        {
            wire.Parallel = parallel;
        }

        return wire;
    }

    public static ArraySpec FromWire(Wire.ArraySpec? wire)
    {
        var items = new ArrayItems([.. Required(wire).Names], [.. wire!.Cells]);
        if (!items.IsSound() || (wire.HasParallel && wire.Parallel is < 1 or > ArraySpec.ParallelMax))
        {
            throw new ContractException("no items of an array");
        }

        return new ArraySpec(
            WireParts.FromWire(wire.Job),
            FromWire(wire.Targets),
            items,
            wire.HasParallel ? wire.Parallel : null)
        {
            Notify = DeliveryParts.FromWire(wire.Notify),
        };
    }

    public static Wire.ElementRun ToWire(ElementRun run) => new()
    {
        Index = run.Index,
        Generation = run.Generation,
        Job = run.JobId.ToString(),
        Device = run.Device.ToString(),
        DeviceName = run.DeviceName,
        PlacedAt = WireParts.ToWire(run.PlacedAt),
        Moving = run.IsMoving,
    };

    public static ElementRun FromWire(Wire.ElementRun? wire) => new(
        ToIndex(Required(wire).Index), ToAttempt(wire!.Generation), ToJobId(wire.Job), ToDevice(wire.Device), wire.DeviceName, ToTime(wire.PlacedAt), wire.Moving);

    public static Wire.ElementEnd ToWire(ElementEnd end)
    {
        var wire = new Wire.ElementEnd { Run = ToWire(end.Run), State = (int)end.State, Problem = WireParts.ToWire(end.Problem), EndedAt = WireParts.ToWire(end.EndedAt) };
        if (end.ExitCode is { } code)
        {
            wire.ExitCode = code;
        }

        if (end.Text is { } text)
        {
            wire.Text = text;
        }

        if (end.BeganAt is { } began)
        {
            wire.BeganAt = WireParts.ToWire(began);
        }

        return wire;
    }

    public static ElementEnd FromWire(Wire.ElementEnd wire) => new(
        FromWire(wire.Run),
        ToEnum<JobStateName>(wire.State),
        wire.HasExitCode ? wire.ExitCode : null,
        WireParts.FromWire(wire.Problem),
        wire.HasText ? wire.Text : null,
        wire.HasBeganAt ? ToTime(wire.BeganAt) : null,
        ToTime(wire.EndedAt));

    public static Wire.ElementView ToWire(ElementView view)
    {
        var wire = new Wire.ElementView { Index = view.Index, Number = view.Number, State = (int)view.State, Parameters = view.Parameters, Problem = WireParts.ToWire(view.Problem) };
        if (!view.JobId.IsNone)
        {
            wire.Job = view.JobId.ToString();
        }

        if (view.DeviceName is { } name)
        {
            wire.DeviceName = name;
        }

        if (view.ExitCode is { } code)
        {
            wire.ExitCode = code;
        }

        if (view.Text is { } text)
        {
            wire.Text = text;
        }

        if (view.BeganAt is { } began)
        {
            wire.BeganAt = WireParts.ToWire(began);
        }

        if (view.EndedAt is { } ended)
        {
            wire.EndedAt = WireParts.ToWire(ended);
        }

        return wire;
    }

    public static ElementView FromWire(Wire.ElementView wire) => new(
        ToIndex(wire.Index),
        wire.Number,
        ToEnum<ElementStateName>(wire.State),
        wire.Parameters,
        wire.HasJob ? ToJobId(wire.Job) : default,
        wire.HasDeviceName ? wire.DeviceName : null,
        wire.HasExitCode ? wire.ExitCode : null,
        WireParts.FromWire(wire.Problem),
        wire.HasText ? wire.Text : null,
        wire.HasBeganAt ? ToTime(wire.BeganAt) : null,
        wire.HasEndedAt ? ToTime(wire.EndedAt) : null);

    public static ImmutableArray<ElementRun> Runs(IEnumerable<Wire.ElementRun> runs) => [.. runs.Select(FromWire)];

    public static ImmutableArray<ElementEnd> Ends(IEnumerable<Wire.ElementEnd> ends) => [.. ends.Select(FromWire)];
}
