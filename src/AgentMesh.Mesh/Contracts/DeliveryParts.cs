using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>What is told of jobs and of the runs of schedules, as events, snapshots and messages have it.</summary>
internal static class DeliveryParts
{
    /// <summary>Of an event in the journal; 0 for none.</summary>
    public static long ToNumber(long number) => number >= 0 ? number : throw new ContractException("no number of an event");

    public static Wire.Notify? ToWire(Notify? notify) => notify is null ? null : new Wire.Notify { Url = notify.Url, On = (int)notify.On };

    public static Notify? FromWire(Wire.Notify? wire) => wire is null ? null : new Notify(wire.Url, ToEnum<NotifyOn>(wire.On));

    public static Wire.EndReport? ToWire(EndReport? report)
    {
        if (report is null)
        {
            return null;
        }

        var wire = new Wire.EndReport
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

    public static EndReport? FromWire(Wire.EndReport? wire) => wire is null
        ? null
        : new EndReport(
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

    public static Wire.Delivery? ToWire(Delivery? delivery)
    {
        if (delivery is null)
        {
            return null;
        }

        var wire = new Wire.Delivery
        {
            State = (int)delivery.State,
            Attempts = delivery.Attempts,
            NextAt = WireParts.ToWire(delivery.NextAt),
            Problem = WireParts.ToWire(delivery.Problem),
            Report = ToWire(delivery.Report),
            Number = delivery.Number,
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

    public static Delivery? FromWire(Wire.Delivery? wire) => wire is null
        ? null
        : new Delivery(
            ToEnum<DeliveryState>(wire.State), wire.Attempts, ToTime(wire.NextAt), wire.HasAt ? ToTime(wire.At) : null, wire.HasStatus ? wire.Status : null, WireParts.FromWire(wire.Problem))
        {
            Report = FromWire(wire.Report),
            Number = ToNumber(wire.Number),
        };

    public static Wire.CronLastDelivery? ToWire(CronLastDelivery? last) => last is null ? null : new Wire.CronLastDelivery { Job = last.JobId.ToString(), Delivery = ToWire(last.Delivery) };

    public static CronLastDelivery? FromWire(Wire.CronLastDelivery? wire) => wire is null ? null : new CronLastDelivery(ToJobId(wire.Job), Required(FromWire(wire.Delivery)));
}
