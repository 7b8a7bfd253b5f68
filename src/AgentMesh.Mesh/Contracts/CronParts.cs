using System.Collections.Immutable;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Parts that messages, events and the snapshot of a schedule share.</summary>
internal static class CronParts
{
    public static CronId ToCronId(string text) => CronId.TryParse(text, out CronId id) ? id : throw new ContractException("no schedule id");

    public static Wire.CronSpec? ToWire(CronSpec? spec) => spec is null ? null : new Wire.CronSpec
    {
        Schedule = spec.Schedule,
        Zone = spec.Zone,
        Job = WireParts.ToWire(spec.Job),
        Missed = (int)spec.Missed,
        Overlap = (int)spec.Overlap,
        PauseAfter = spec.PauseAfter,
        JitterMs = WireParts.ToWire(spec.Jitter),
        FromFile = spec.IsFromFile,
        WindowMs = WireParts.ToWire(spec.Window),
        Targets = spec.Targets is { } targets ? new Wire.CronTargets { Devices = ArrayParts.ToWire(targets.Devices), One = targets.IsOne } : null,
        Notify = DeliveryParts.ToWire(spec.Notify),
    };

    public static CronSpec? FromWire(Wire.CronSpec? wire) => wire is null
        ? null
        : new CronSpec(wire.Schedule, wire.Zone, WireParts.FromWire(wire.Job), ToEnum<CronMissed>(wire.Missed), ToEnum<CronOverlap>(wire.Overlap), wire.PauseAfter)
        {
            Jitter = ToSpan(wire.JitterMs),
            IsFromFile = wire.FromFile,
            Window = ToSpan(wire.WindowMs),
            Targets = wire.Targets is { } targets ? new CronTargets(ArrayParts.FromWire(targets.Devices), targets.One) : null,
            Notify = DeliveryParts.FromWire(wire.Notify),
        };

    public static Wire.CronBackfill? ToWire(CronBackfill? backfill) =>
        backfill is null ? null : new Wire.CronBackfill { After = WireParts.ToWire(backfill.After), To = WireParts.ToWire(backfill.To), Left = backfill.Left };

    public static CronBackfill? FromWire(Wire.CronBackfill? wire) => wire is null ? null : new CronBackfill(ToTime(wire.After), ToTime(wire.To), wire.Left);

    public static IEnumerable<Wire.CronRun> ToWire(IEnumerable<CronRun> runs) => runs.Select(run =>
    {
        var wire = new Wire.CronRun { Job = run.JobId.ToString(), Nominal = WireParts.ToWire(run.Nominal), Cause = (int)run.Cause, FiredAt = WireParts.ToWire(run.FiredAt), Target = run.Target is { } target ? WireParts.ToWire(target) : null, Delivery = DeliveryParts.ToWire(run.Delivery) };
        if (run is { Ended: { } ended, EndedAt: { } at })
        {
            wire.Ended = (int)ended;
            wire.EndedAt = WireParts.ToWire(at);
        }

        return wire;
    });

    public static ImmutableArray<CronRun> FromWire(IEnumerable<Wire.CronRun> runs) =>
    [
        .. runs.Select(run => new CronRun(
            ToJobId(run.Job),
            ToTime(run.Nominal),
            ToEnum<CronCause>(run.Cause),
            ToTime(run.FiredAt),
            run.HasEnded ? ToEnum<JobStateName>(run.Ended) : null,
            run.HasEnded ? ToTime(run.EndedAt) : null)
        {
            Target = run.Target is { } target ? WireParts.FromWire(target) : null,
            Delivery = DeliveryParts.FromWire(run.Delivery),
        }),
    ];
}
