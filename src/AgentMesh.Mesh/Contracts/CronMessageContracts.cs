using AgentMesh.Mesh.Cron;
using static AgentMesh.Mesh.Contracts.CronParts;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Messages about schedules between a node and the entity.</summary>
internal static class CronMessageContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of(
            "cron.create.1",
            Wire.CreateCron.Parser,
            (CreateCron m) => new Wire.CreateCron { Cron = m.CronId.ToString(), Spec = CronParts.ToWire(m.Spec), Replace = m.Replace },
            w => new CreateCron(ToCronId(w.Cron), Required(CronParts.FromWire(w.Spec)), w.Replace)),
        Contract.Of("cron.get.1", Wire.GetCron.Parser, (GetCron m) => new Wire.GetCron { Cron = m.CronId.ToString() }, w => new GetCron(ToCronId(w.Cron))),
        Contract.Of("cron.wake.1", Wire.WakeCron.Parser, (WakeCron m) => new Wire.WakeCron { Cron = m.CronId.ToString() }, w => new WakeCron(ToCronId(w.Cron))),
        Contract.Of(
            "cron.enable.1",
            Wire.EnableCron.Parser,
            (EnableCron m) => new Wire.EnableCron { Cron = m.CronId.ToString(), Enabled = m.Enabled },
            w => new EnableCron(ToCronId(w.Cron), w.Enabled)),
        Contract.Of("cron.run.1", Wire.RunCron.Parser, (RunCron m) => new Wire.RunCron { Cron = m.CronId.ToString(), Key = m.Key }, w => new RunCron(ToCronId(w.Cron), w.Key)),
        Contract.Of(
            "cron.started.1",
            Wire.CronStarted.Parser,
            (CronStarted m) => new Wire.CronStarted { Cron = m.CronId.ToString(), Job = m.JobId.ToString() },
            w => new CronStarted(ToCronId(w.Cron), ToJobId(w.Job))),
        Contract.Of(
            "cron.backfill.1",
            Wire.BackfillCron.Parser,
            (BackfillCron m) => new Wire.BackfillCron { Cron = m.CronId.ToString(), From = WireParts.ToWire(m.From), To = WireParts.ToWire(m.To), DryRun = m.IsDryRun },
            w => new BackfillCron(ToCronId(w.Cron), ToTime(w.From), ToTime(w.To), w.DryRun)),
        Contract.Of(
            "cron.backfill-view.1",
            Wire.CronBackfillView.Parser,
            (CronBackfillView m) => new Wire.CronBackfillView { Cron = m.CronId.ToString(), Times = { m.Times.Select(WireParts.ToWire) }, DryRun = m.IsDryRun },
            w => new CronBackfillView(ToCronId(w.Cron), [.. w.Times.Select(ToTime)], w.DryRun)),
        Contract.Of("cron.remove.1", Wire.RemoveCron.Parser, (RemoveCron m) => new Wire.RemoveCron { Cron = m.CronId.ToString() }, w => new RemoveCron(ToCronId(w.Cron))),
        Contract.Of("cron.removed.1", Wire.CronRemoved.Parser, (CronRemoved m) => new Wire.CronRemoved { Cron = m.CronId.ToString() }, w => new CronRemoved(ToCronId(w.Cron))),
        Contract.Of(
            "cron.problem.1",
            Wire.CronProblem.Parser,
            (CronProblem m) => new Wire.CronProblem { Cron = m.CronId.ToString(), Problem = WireParts.ToWire(m.Problem) },
            w => new CronProblem(ToCronId(w.Cron), Required(WireParts.FromWire(w.Problem)))),
        Contract.Of<CronView, Wire.CronView>("cron.view.1", Wire.CronView.Parser, WriteView, ReadView),
    ];

    private static Wire.CronView WriteView(CronView m)
    {
        Wire.CronView wire = WithoutWaiting(m);
        if (m.Waiting is { } waiting)
        {
            wire.Waiting = WireParts.ToWire(waiting);
        }

        return wire;
    }

    private static Wire.CronView WithoutWaiting(CronView m) => new()
    {
        Cron = m.CronId.ToString(),
        Spec = CronParts.ToWire(m.Spec),
        Enabled = m.IsEnabled,
        Reason = WireParts.ToWire(m.Reason),
        CreatedAt = WireParts.ToWire(m.CreatedAt),
        Fired = m.Fired,
        Missed = m.Missed,
        Failures = m.Failures,
        Runs = { CronParts.ToWire(m.Runs) },
        Next = { m.Next.Select(WireParts.ToWire) },
        BackfillLeft = m.BackfillLeft,
        LastDelivery = DeliveryParts.ToWire(m.LastDelivery),
    };

    private static CronView ReadView(Wire.CronView w) => new(
        ToCronId(w.Cron),
        Required(CronParts.FromWire(w.Spec)),
        w.Enabled,
        WireParts.FromWire(w.Reason),
        ToTime(w.CreatedAt),
        w.Fired,
        w.Missed,
        w.Failures,
        CronParts.FromWire(w.Runs),
        [.. w.Next.Select(ToTime)],
        w.HasWaiting ? ToTime(w.Waiting) : null)
    {
        BackfillLeft = w.BackfillLeft,
        LastDelivery = DeliveryParts.FromWire(w.LastDelivery),
    };
}
