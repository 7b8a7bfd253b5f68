using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Events and snapshot of a schedule as the journal keeps them.</summary>
internal static class CronEventContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of(
            CronManifests.Created,
            Wire.CronCreatedEvent.Parser,
            (CronCreatedEvent m) => new Wire.CronCreatedEvent { At = ToWire(m.At), Spec = CronParts.ToWire(m.Spec), Life = m.Life },
            w => new CronCreatedEvent(ToTime(w.At), Required(CronParts.FromWire(w.Spec)), w.Life)),
        Contract.Of(
            CronManifests.Updated,
            Wire.CronUpdatedEvent.Parser,
            (CronUpdatedEvent m) => new Wire.CronUpdatedEvent { At = ToWire(m.At), Spec = CronParts.ToWire(m.Spec), Life = m.Life },
            w => new CronUpdatedEvent(ToTime(w.At), Required(CronParts.FromWire(w.Spec)), w.Life)),
        Contract.Of(
            CronManifests.Enabled,
            Wire.CronEnabledEvent.Parser,
            (CronEnabledEvent m) => new Wire.CronEnabledEvent { At = ToWire(m.At), Life = m.Life },
            w => new CronEnabledEvent(ToTime(w.At), w.Life)),
        Contract.Of(
            CronManifests.Disabled,
            Wire.CronDisabledEvent.Parser,
            (CronDisabledEvent m) => new Wire.CronDisabledEvent { At = ToWire(m.At), Reason = ToWire(m.Reason) },
            w => new CronDisabledEvent(ToTime(w.At), FromWire(w.Reason))),
        Contract.Of(
            CronManifests.Fired,
            Wire.CronFiredEvent.Parser,
            (CronFiredEvent m) => new Wire.CronFiredEvent { At = ToWire(m.At), Nominal = ToWire(m.Nominal), Job = m.JobId.ToString(), Cause = (int)m.Cause, Life = m.Life, Targets = WireTargets(m) },
            w => new CronFiredEvent(ToTime(w.At), ToTime(w.Nominal), ToJobId(w.Job), ToEnum<CronCause>(w.Cause), w.Life) { Targets = TargetsOf(w) }),
        Contract.Of(
            CronManifests.Backfill,
            Wire.CronBackfillEvent.Parser,
            (CronBackfillEvent m) => new Wire.CronBackfillEvent { At = ToWire(m.At), Backfill = CronParts.ToWire(m.Backfill) },
            w => new CronBackfillEvent(ToTime(w.At), Required(CronParts.FromWire(w.Backfill)))),
        Contract.Of(
            CronManifests.Missed,
            Wire.CronMissedEvent.Parser,
            (CronMissedEvent m) => new Wire.CronMissedEvent { At = ToWire(m.At), Through = ToWire(m.Through), Count = m.Count, Reason = (int)m.Reason, Life = m.Life },
            w => new CronMissedEvent(ToTime(w.At), ToTime(w.Through), w.Count, ToEnum<CronMissedReason>(w.Reason), w.Life)),
        Contract.Of(
            CronManifests.Buffered,
            Wire.CronBufferedEvent.Parser,
            (CronBufferedEvent m) => new Wire.CronBufferedEvent { At = ToWire(m.At), Nominal = ToWire(m.Nominal) },
            w => new CronBufferedEvent(ToTime(w.At), ToTime(w.Nominal))),
        Contract.Of(
            CronManifests.RunEnded,
            Wire.CronRunEndedEvent.Parser,
            (CronRunEndedEvent m) => new Wire.CronRunEndedEvent { At = ToWire(m.At), Job = m.JobId.ToString(), State = (int)m.State, Report = DeliveryParts.ToWire(m.Report) },
            w => new CronRunEndedEvent(ToTime(w.At), ToJobId(w.Job), ToEnum<JobStateName>(w.State)) { Report = DeliveryParts.FromWire(w.Report) }),
        Contract.Of(
            CronManifests.Delivery,
            Wire.CronDeliveryEvent.Parser,
            (CronDeliveryEvent m) => new Wire.CronDeliveryEvent { At = ToWire(m.At), Job = m.JobId.ToString(), Delivery = DeliveryParts.ToWire(m.Delivery) },
            w => new CronDeliveryEvent(ToTime(w.At), ToJobId(w.Job), Required(DeliveryParts.FromWire(w.Delivery)))),
        Contract.Of(CronManifests.Removed, Wire.CronRemovedEvent.Parser, (CronRemovedEvent m) => new Wire.CronRemovedEvent { At = ToWire(m.At) }, w => new CronRemovedEvent(ToTime(w.At))),
        Contract.Of<CronSnapshot, Wire.CronSnapshot>(CronManifests.Snapshot, Wire.CronSnapshot.Parser, WriteSnapshot, ReadSnapshot),
    ];

    private static Wire.CronTargetList? WireTargets(CronFiredEvent m) => m.Targets is { } targets
        ? new Wire.CronTargetList { Targets = { targets.Select(each => new Wire.CronTarget { Job = each.JobId.ToString(), Target = WireParts.ToWire(each.Target) }) } }
        : null;

    private static ValueList<CronTarget>? TargetsOf(Wire.CronFiredEvent w) => w.Targets is { } list
        ? [.. list.Targets.Select(each => new CronTarget(ToJobId(each.Job), WireParts.FromWire(each.Target)))]
        : null;

    private static Wire.CronSnapshot WriteSnapshot(CronSnapshot m)
    {
        Wire.CronSnapshot wire = WithoutBuffered(m);
        if (m.Buffered is { } buffered)
        {
            wire.Buffered = ToWire(buffered);
        }

        return wire;
    }

    private static Wire.CronSnapshot WithoutBuffered(CronSnapshot m) => new()
    {
        Spec = CronParts.ToWire(m.Spec),
        Enabled = m.IsEnabled,
        Reason = ToWire(m.Reason),
        CreatedAt = ToWire(m.CreatedAt),
        Version = m.Version,
        Cursor = ToWire(m.Cursor),
        Life = m.Life,
        Fired = m.Fired,
        Missed = m.Missed,
        Failures = m.Failures,
        Runs = { CronParts.ToWire(m.Runs) },
        Backfill = CronParts.ToWire(m.Backfill),
        LastDelivery = DeliveryParts.ToWire(m.LastDelivery),
    };

    private static CronSnapshot ReadSnapshot(Wire.CronSnapshot w) => new(
        CronParts.FromWire(w.Spec),
        w.Enabled,
        FromWire(w.Reason),
        ToTime(w.CreatedAt),
        w.Version,
        ToTime(w.Cursor),
        w.Life,
        w.Fired,
        w.Missed,
        w.Failures,
        w.HasBuffered ? ToTime(w.Buffered) : null,
        CronParts.FromWire(w.Runs))
    {
        Backfill = CronParts.FromWire(w.Backfill),
        LastDelivery = DeliveryParts.FromWire(w.LastDelivery),
    };
}
