using AgentMesh.Mesh.Arrays;
using static AgentMesh.Mesh.Contracts.ArrayParts;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Events and snapshot of an array as the journal keeps them.</summary>
internal static class ArrayEventContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<ArrayAcceptedEvent, Wire.ArrayAcceptedEvent>(
            m => m.Spec.Notify is null ? ArrayManifests.Accepted : ArrayManifests.AcceptedToTell,
            [ArrayManifests.Accepted, ArrayManifests.AcceptedToTell],
            Wire.ArrayAcceptedEvent.Parser,
            m => new Wire.ArrayAcceptedEvent { At = WireParts.ToWire(m.At), Spec = ArrayParts.ToWire(m.Spec) },
            w => new ArrayAcceptedEvent(ToTime(w.At), ArrayParts.FromWire(w.Spec))),
        Contract.Of(
            ArrayManifests.Placed,
            Wire.ElementsPlacedEvent.Parser,
            (ElementsPlacedEvent m) => new Wire.ElementsPlacedEvent { At = WireParts.ToWire(m.At), Elements = { m.Elements.Select(ArrayParts.ToWire) } },
            w => new ElementsPlacedEvent(ToTime(w.At), Runs(w.Elements))),
        Contract.Of(
            ArrayManifests.Moving,
            Wire.ElementMovingEvent.Parser,
            (ElementMovingEvent m) => new Wire.ElementMovingEvent { At = WireParts.ToWire(m.At), Index = m.Index },
            w => new ElementMovingEvent(ToTime(w.At), ToIndex(w.Index))),
        Contract.Of(
            ArrayManifests.Released,
            Wire.ElementReleasedEvent.Parser,
            (ElementReleasedEvent m) => new Wire.ElementReleasedEvent { At = WireParts.ToWire(m.At), Index = m.Index },
            w => new ElementReleasedEvent(ToTime(w.At), ToIndex(w.Index))),
        Contract.Of(
            ArrayManifests.ElementsEnded,
            Wire.ElementsEndedEvent.Parser,
            (ElementsEndedEvent m) => new Wire.ElementsEndedEvent { At = WireParts.ToWire(m.At), Elements = { m.Elements.Select(ArrayParts.ToWire) } },
            w => new ElementsEndedEvent(ToTime(w.At), Ends(w.Elements))),
        Contract.Of(
            ArrayManifests.CancelRequested,
            Wire.ArrayCancelRequestedEvent.Parser,
            (ArrayCancelRequestedEvent m) => new Wire.ArrayCancelRequestedEvent { At = WireParts.ToWire(m.At), By = WireParts.ToWire(m.By) },
            w => new ArrayCancelRequestedEvent(ToTime(w.At), WireParts.FromWire(w.By))),
        Contract.Of<ArrayEndedEvent, Wire.ArrayEndedEvent>(
            m => m.IsDue ? ArrayManifests.EndedToTell : ArrayManifests.Ended,
            [ArrayManifests.Ended, ArrayManifests.EndedToTell],
            Wire.ArrayEndedEvent.Parser,
            m => new Wire.ArrayEndedEvent { At = WireParts.ToWire(m.At), Due = m.IsDue, DueAs = m.DueAs },
            w => new ArrayEndedEvent(ToTime(w.At)) { IsDue = w.Due, DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of<ArrayToldEvent, Wire.ArrayToldEvent>(
            m => m.Delivery.IsDue ? ArrayManifests.Telling : ArrayManifests.Told,
            [ArrayManifests.Telling, ArrayManifests.Told],
            Wire.ArrayToldEvent.Parser,
            m => new Wire.ArrayToldEvent { At = WireParts.ToWire(m.At), Delivery = DeliveryParts.ToWire(m.Delivery) },
            w => new ArrayToldEvent(ToTime(w.At), Required(DeliveryParts.FromWire(w.Delivery)))),
        Contract.Of(
            ArrayManifests.Retried,
            Wire.ArrayRetriedEvent.Parser,
            (ArrayRetriedEvent m) => new Wire.ArrayRetriedEvent { At = WireParts.ToWire(m.At), By = WireParts.ToWire(m.By) },
            w => new ArrayRetriedEvent(ToTime(w.At), WireParts.FromWire(w.By))),
        Contract.Of<ArraySnapshot, Wire.ArraySnapshot>(
            m => m.Spec.Notify is null ? ArrayManifests.Snapshot : ArrayManifests.SnapshotToTell, [ArrayManifests.Snapshot, ArrayManifests.SnapshotToTell], Wire.ArraySnapshot.Parser, WriteSnapshot, ReadSnapshot),
    ];

    private static Wire.ArraySnapshot WriteSnapshot(ArraySnapshot m)
    {
        var wire = new Wire.ArraySnapshot
        {
            Spec = ArrayParts.ToWire(m.Spec),
            AcceptedAt = WireParts.ToWire(m.AcceptedAt),
            Begun = m.Begun,
            Running = { m.Running.Select(ArrayParts.ToWire) },
            Again = { m.Again.Select(again => new Wire.ElementAgain { Index = again.Key, Generation = again.Value }) },
            Ended = { m.Ended.Select(ArrayParts.ToWire) },
            Delivery = DeliveryParts.ToWire(m.Delivery),
        };
        if (m.CancelRequestedAt is { } cancelled)
        {
            wire.CancelRequestedAt = WireParts.ToWire(cancelled);
        }

        if (m.EndedAt is { } ended)
        {
            wire.EndedAt = WireParts.ToWire(ended);
        }

        return wire;
    }

    private static ArraySnapshot ReadSnapshot(Wire.ArraySnapshot w) => new(
        ArrayParts.FromWire(w.Spec),
        ToTime(w.AcceptedAt),
        w.HasCancelRequestedAt ? ToTime(w.CancelRequestedAt) : null,
        w.HasEndedAt ? ToTime(w.EndedAt) : null,
        w.Begun,
        Runs(w.Running),
        [.. w.Again.Select(again => KeyValuePair.Create(ToIndex(again.Index), ToAttempt(again.Generation)))],
        Ends(w.Ended))
    {
        Delivery = DeliveryParts.FromWire(w.Delivery),
    };
}
