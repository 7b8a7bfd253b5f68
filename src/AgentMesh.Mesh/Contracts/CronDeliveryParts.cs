using AgentMesh.Mesh.Cron.Delivery;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>What is told of the runs of a schedule, as events, snapshot and messages have it.</summary>
internal static class CronDeliveryParts
{
    public static Wire.CronNotify? ToWire(CronNotify? notify) => notify is null ? null : new Wire.CronNotify { Url = notify.Url, On = (int)notify.On };

    public static CronNotify? FromWire(Wire.CronNotify? wire) => wire is null ? null : new CronNotify(wire.Url, ToEnum<CronNotifyOn>(wire.On));

    public static Wire.CronReport? ToWire(CronReport? report)
    {
        if (report is null)
        {
            return null;
        }

        var wire = new Wire.CronReport
        {
            Attempt = report.Attempt,
            Device = report.Device?.ToString() ?? "",
            On = report.On,
            EndedAt = WireParts.ToWire(report.EndedAt),
            Problem = WireParts.ToWire(report.Problem),
            StdoutBytes = report.StdoutBytes,
            StderrBytes = report.StderrBytes,
        };
        if (report.ExitCode is { } code)
        {
            wire.ExitCode = code;
        }

        if (report.BeganAt is { } began)
        {
            wire.BeganAt = WireParts.ToWire(began);
        }

        if (report.Text is { } text)
        {
            wire.Text = text;
        }

        return wire;
    }

    public static CronReport? FromWire(Wire.CronReport? wire) => wire is null
        ? null
        : new CronReport(
            wire.Attempt,
            wire.Device.Length > 0 ? ToDevice(wire.Device) : null,
            wire.On,
            wire.HasExitCode ? wire.ExitCode : null,
            wire.HasBeganAt ? ToTime(wire.BeganAt) : null,
            ToTime(wire.EndedAt),
            WireParts.FromWire(wire.Problem),
            wire.StdoutBytes,
            wire.StderrBytes,
            wire.HasText ? wire.Text : null);

    public static Wire.CronDelivery? ToWire(CronDelivery? delivery)
    {
        if (delivery is null)
        {
            return null;
        }

        var wire = new Wire.CronDelivery
        {
            State = (int)delivery.State,
            Attempts = delivery.Attempts,
            NextAt = WireParts.ToWire(delivery.NextAt),
            Problem = WireParts.ToWire(delivery.Problem),
            Report = ToWire(delivery.Report),
        };
        if (delivery.At is { } at)
        {
            wire.At = WireParts.ToWire(at);
        }

        if (delivery.Status is { } status)
        {
            wire.Status = status;
        }

        return wire;
    }

    public static CronDelivery? FromWire(Wire.CronDelivery? wire) => wire is null
        ? null
        : new CronDelivery(
            ToEnum<CronDeliveryState>(wire.State), wire.Attempts, ToTime(wire.NextAt), wire.HasAt ? ToTime(wire.At) : null, wire.HasStatus ? wire.Status : null, WireParts.FromWire(wire.Problem))
        {
            Report = FromWire(wire.Report),
        };

    public static Wire.CronLastDelivery? ToWire(CronLastDelivery? last) => last is null ? null : new Wire.CronLastDelivery { Job = last.JobId.ToString(), Delivery = ToWire(last.Delivery) };

    public static CronLastDelivery? FromWire(Wire.CronLastDelivery? wire) => wire is null ? null : new CronLastDelivery(ToJobId(wire.Job), Required(FromWire(wire.Delivery)));
}
