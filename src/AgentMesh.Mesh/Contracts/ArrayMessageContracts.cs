using AgentMesh.Mesh.Arrays;
using static AgentMesh.Mesh.Contracts.ArrayParts;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Messages about arrays between a node and the entity.</summary>
internal static class ArrayMessageContracts
{
    private const string Submit = "array.submit.1";

    /// <summary>A member of a pool that cannot tell the end of an array does not know this name, and does not accept it.</summary>
    private const string SubmitToTell = "array.submit-to-tell.1";

    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<SubmitArray, Wire.SubmitArray>(
            m => m.Spec.Notify is null ? Submit : SubmitToTell,
            [Submit, SubmitToTell],
            Wire.SubmitArray.Parser,
            m => new Wire.SubmitArray { Array = m.ArrayId.ToString(), Spec = ArrayParts.ToWire(m.Spec) },
            w => new SubmitArray(ToArrayId(w.Array), ArrayParts.FromWire(w.Spec))),
        Contract.Of(
            "array.accepted.1",
            Wire.ArrayAccepted.Parser,
            (ArrayAccepted m) => new Wire.ArrayAccepted { Array = m.ArrayId.ToString(), Repeated = m.Repeated },
            w => new ArrayAccepted(ToArrayId(w.Array), w.Repeated)),
        Contract.Of("array.get.1", Wire.GetArray.Parser, (GetArray m) => new Wire.GetArray { Array = m.ArrayId.ToString() }, w => new GetArray(ToArrayId(w.Array))),
        Contract.Of("array.wake.1", Wire.WakeArray.Parser, (WakeArray m) => new Wire.WakeArray { Array = m.ArrayId.ToString() }, w => new WakeArray(ToArrayId(w.Array))),
        Contract.Of(
            "array.get-elements.1",
            Wire.GetElements.Parser,
            (GetElements m) => new Wire.GetElements { Array = m.ArrayId.ToString(), From = m.From, Limit = m.Limit, Failed = m.Failed },
            w => new GetElements(ToArrayId(w.Array), w.From, w.Limit, w.Failed)),
        Contract.Of(
            "array.cancel.1",
            Wire.CancelArray.Parser,
            (CancelArray m) => new Wire.CancelArray { Array = m.ArrayId.ToString(), By = WireParts.ToWire(m.By) },
            w => new CancelArray(ToArrayId(w.Array), WireParts.FromWire(w.By))),
        Contract.Of(
            "array.retry.1",
            Wire.RetryArray.Parser,
            (RetryArray m) => new Wire.RetryArray { Array = m.ArrayId.ToString(), By = WireParts.ToWire(m.By) },
            w => new RetryArray(ToArrayId(w.Array), WireParts.FromWire(w.By))),
        Contract.Of(
            "array.problem.1",
            Wire.ArrayProblem.Parser,
            (ArrayProblem m) => new Wire.ArrayProblem { Array = m.ArrayId.ToString(), Problem = WireParts.ToWire(m.Problem) },
            w => new ArrayProblem(ToArrayId(w.Array), Required(WireParts.FromWire(w.Problem)))),
        Contract.Of<ArrayView, Wire.ArrayView>("array.view.1", Wire.ArrayView.Parser, WriteView, ReadView),
        Contract.Of<ArrayElements, Wire.ArrayElements>("array.elements.1", Wire.ArrayElements.Parser, WriteElements, ReadElements),
    ];

    private static Wire.ArrayView WriteView(ArrayView m)
    {
        var wire = new Wire.ArrayView
        {
            Array = m.ArrayId.ToString(),
            State = (int)m.State,
            Command = m.Command,
            Selector = m.Selector,
            Count = m.Count,
            Waiting = m.Waiting,
            Running = m.Running,
            Completed = m.Completed,
            Failed = m.Failed,
            Cancelled = m.Cancelled,
            AcceptedAt = WireParts.ToWire(m.AcceptedAt),
            Notify = DeliveryParts.ToWire(m.Notify),
            Delivery = DeliveryParts.ToWire(m.Delivery),
        };
        if (m.Parallel is { } parallel)
        {
            wire.Parallel = parallel;
        }

        if (m.EndedAt is { } ended)
        {
            wire.EndedAt = WireParts.ToWire(ended);
        }

        if (m.IdempotencyKey is { } key)
        {
            wire.IdempotencyKey = key;
        }

        if (m.WaitingFor is { } reason)
        {
            wire.WaitingFor = reason;
        }

        return wire;
    }

    private static ArrayView ReadView(Wire.ArrayView w) => new(
        ToArrayId(w.Array),
        ToEnum<ArrayStateName>(w.State),
        w.Command,
        w.Selector,
        w.HasParallel ? w.Parallel : null,
        w.Count,
        w.Waiting,
        w.Running,
        w.Completed,
        w.Failed,
        w.Cancelled,
        ToTime(w.AcceptedAt),
        w.HasEndedAt ? ToTime(w.EndedAt) : null,
        w.HasIdempotencyKey ? w.IdempotencyKey : null,
        w.HasWaitingFor ? w.WaitingFor : null)
    {
        Notify = DeliveryParts.FromWire(w.Notify),
        Delivery = DeliveryParts.FromWire(w.Delivery),
    };

    private static Wire.ArrayElements WriteElements(ArrayElements m)
    {
        var wire = new Wire.ArrayElements { Array = m.ArrayId.ToString(), Elements = { m.Elements.Select(ArrayParts.ToWire) } };
        if (m.Next is { } next)
        {
            wire.Next = next;
        }

        return wire;
    }

    private static ArrayElements ReadElements(Wire.ArrayElements w) => new(ToArrayId(w.Array), [.. w.Elements.Select(ArrayParts.FromWire)], w.HasNext ? w.Next : null);
}
