using System.Buffers;
using System.Text;
using System.Text.Json;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Delivery;
using AgentMesh.Node.Services;

namespace AgentMesh.Node.Schedules.Delivery;

/// <summary>The end of what a run wrote.</summary>
internal readonly record struct OutputEnds(string Stdout, string Stderr)
{
    /// <summary>Of each stream.</summary>
    public const int BytesMax = 4_096;
}

/// <summary>The JSON of a webhook: docs/cron.md has each field.</summary>
internal static class WebhookBody
{
    public static byte[] Of(CronParcel parcel, OutputEnds output)
    {
        (CronRun run, CronReport report) = (parcel.Run, parcel.Report);
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        string state = run.Ended!.Value.ToString().ToLowerInvariant();
        json.WriteStartObject();
        json.WriteString("type", "cron.run." + state);
        json.WriteString("timestamp", report.EndedAt.UtcDateTime);
        json.WriteStartObject("data");
        json.WriteString("delivery", parcel.DeliveryId);
        json.WriteString("schedule", CronViews.NameOf(parcel.CronId));
        json.WriteString("id", parcel.CronId.ToString());
        json.WriteString("job", run.JobId.ToString());
        json.WriteString("cause", run.Cause.ToString().ToLowerInvariant());
        json.WriteString("state", state);
        Write(json, "exitCode", report.ExitCode);
        json.WriteNumber("attempt", report.Attempt);
        json.WriteString("device", report.Device?.ToString());
        json.WriteString("deviceName", run.Target?.Name ?? report.On);
        json.WriteString("due", run.Nominal.UtcDateTime);
        Write(json, "began", report.BeganAt);
        json.WriteString("ended", report.EndedAt.UtcDateTime);
        Write(json, "durationMs", report.BeganAt is { } began ? (long)Math.Max(0, (report.EndedAt - began).TotalMilliseconds) : null);
        if (report.Problem is { } problem)
        {
            json.WriteStartObject("problem");
            json.WriteString("code", problem.Code);
            json.WriteString("message", problem.Text);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("problem");
        }

        json.WriteString("stdout", output.Stdout);
        json.WriteString("stderr", output.Stderr);
        json.WriteNumber("stdoutBytes", report.Text is { } text ? Encoding.UTF8.GetByteCount(text) : report.StdoutBytes);
        json.WriteNumber("stderrBytes", report.StderrBytes);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is { } moment)
        {
            json.WriteString(name, moment.UtcDateTime);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
