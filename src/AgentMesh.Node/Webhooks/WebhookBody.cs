using System.Buffers;
using System.Text;
using System.Text.Json;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Node.Services;

namespace AgentMesh.Node.Webhooks;

/// <summary>The end of what a job wrote.</summary>
internal readonly record struct OutputEnds(string Stdout, string Stderr)
{
    /// <summary>Of each stream.</summary>
    public const int BytesMax = 4_096;
}

/// <summary>The JSON of a webhook: docs/cron.md has each field.</summary>
internal static class WebhookBody
{
    /// <summary>Of one element; a row of a table may be as long as the table.</summary>
    private const int ParametersCharsMax = 200;

    public static byte[] Of(Parcel parcel, OutputEnds output)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        string state = parcel.State.ToString().ToLowerInvariant();
        json.WriteStartObject();
        json.WriteString("type", KindOf(parcel) + state);
        json.WriteString("timestamp", parcel.Report.EndedAt.UtcDateTime);
        json.WriteStartObject("data");
        json.WriteString("delivery", parcel.DeliveryId);
        if (parcel.Array is { } array)
        {
            json.WriteString("array", array.ArrayId.ToString());
            json.WriteString("key", parcel.Key);
            json.WriteString("state", state);
            WriteTimes(json, parcel.Report);
            WriteElements(json, array);
        }
        else if (parcel.Workflow is { } workflow)
        {
            json.WriteString("workflow", workflow.WorkflowId.ToString());
            json.WriteString("name", workflow.Name);
            json.WriteString("key", parcel.Key);
            json.WriteString("state", state);
            WriteTimes(json, parcel.Report);
            Write(json, parcel.Report.Problem);
            WriteSteps(json, workflow);
        }
        else
        {
            WriteJob(json, parcel, state, output);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static string KindOf(Parcel parcel) => parcel switch
    {
        { Array: not null } => "array.",
        { Workflow: not null } => "workflow.",
        { Scheduled: not null } => "cron.run.",
        _ => "job.",
    };

    private static void WriteJob(Utf8JsonWriter json, Parcel parcel, string state, OutputEnds output)
    {
        EndReport report = parcel.Report;
        if (parcel.Scheduled is { } scheduled)
        {
            json.WriteString("schedule", CronViews.NameOf(scheduled.CronId));
            json.WriteString("id", scheduled.CronId.ToString());
            json.WriteString("job", parcel.JobId.ToString());
            json.WriteString("cause", scheduled.Run.Cause.ToString().ToLowerInvariant());
        }
        else
        {
            json.WriteString("job", parcel.JobId.ToString());
            json.WriteString("key", parcel.Key);
        }

        json.WriteString("state", state);
        Write(json, "exitCode", report.ExitCode);
        json.WriteNumber("attempt", report.Attempt);
        json.WriteString("device", report.Device?.ToString());
        json.WriteString("deviceName", parcel.Scheduled?.Run.Target?.Name ?? report.On);
        if (parcel.Scheduled is { Run.Nominal: var due })
        {
            json.WriteString("due", due.UtcDateTime);
        }

        WriteTimes(json, report);
        Write(json, report.Problem);
        json.WriteString("stdout", output.Stdout);
        json.WriteString("stderr", output.Stderr);
        json.WriteNumber("stdoutBytes", report.Text is { } text ? Encoding.UTF8.GetByteCount(text) : report.StdoutBytes);
        json.WriteNumber("stderrBytes", report.StderrBytes);
    }

    private static void WriteElements(Utf8JsonWriter json, ToldArray array)
    {
        json.WriteNumber("count", array.Count);
        json.WriteNumber("completed", array.Completed);
        json.WriteNumber("failed", array.Failed);
        json.WriteNumber("cancelled", array.Cancelled);
        json.WriteStartArray("notCompleted");
        foreach (ElementView element in array.Worst)
        {
            json.WriteStartObject();
            json.WriteNumber("number", element.Number);
            json.WriteString("parameters", element.Parameters.Length > ParametersCharsMax ? element.Parameters[..ParametersCharsMax] + " ..." : element.Parameters);
            json.WriteString("state", element.State.ToString().ToLowerInvariant());
            WriteWork(json, element.JobId, element.DeviceName, element.ExitCode, element.Problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSteps(Utf8JsonWriter json, ToldWorkflow workflow)
    {
        json.WriteNumber("count", workflow.Count);
        json.WriteNumber("completed", workflow.Completed);
        json.WriteNumber("failed", workflow.Failed);
        json.WriteStartArray("failedSteps");
        foreach (ToldStep step in workflow.FailedSteps)
        {
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteBoolean("allowed", step.IsAllowed);
            WriteWork(json, step.JobId, step.DeviceName, step.ExitCode, step.Problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteWork(Utf8JsonWriter json, JobId job, string? deviceName, int? exitCode, Problem? problem)
    {
        json.WriteString("job", job.IsNone ? null : job.ToString());
        json.WriteString("deviceName", deviceName);
        Write(json, "exitCode", exitCode);
        Write(json, problem);
    }

    private static void WriteTimes(Utf8JsonWriter json, EndReport report)
    {
        if (report.BeganAt is { } began)
        {
            json.WriteString("began", began.UtcDateTime);
        }
        else
        {
            json.WriteNull("began");
        }

        json.WriteString("ended", report.EndedAt.UtcDateTime);
        Write(json, "durationMs", report.BeganAt is { } from ? (long)Math.Max(0, (report.EndedAt - from).TotalMilliseconds) : null);
    }

    private static void Write(Utf8JsonWriter json, Problem? problem)
    {
        if (problem is null)
        {
            json.WriteNull("problem");
            return;
        }

        json.WriteStartObject("problem");
        json.WriteString("code", problem.Code);
        json.WriteString("message", problem.Text);
        json.WriteEndObject();
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
}
