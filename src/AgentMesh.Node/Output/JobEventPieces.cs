using System.Globalization;
using System.Text;
using System.Text.Json;
using AgentMesh.Journal;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Output;

/// <summary>Events of a job as pieces of its third stream: one each, in JSON, at the number that it has. They are of no attempt: their numbers go on over all of them.</summary>
internal static class JobEventPieces
{
    public static OutputPiece Of(JobEventView happened) => new(0, OutputStreamKind.Events, happened.Number, JsonSerializer.SerializeToUtf8Bytes(happened, ControlJson.Default.JobEventView));

    /// <summary>Of a newer home it may be something that cannot be read here: then it is a line without words.</summary>
    public static JobEventView Read(OutputPiece piece)
    {
        try
        {
            return JsonSerializer.Deserialize(piece.Data.Span, ControlJson.Default.JobEventView) ?? Unknown(piece);
        }
        catch (JsonException)
        {
            return Unknown(piece);
        }
    }

    public static bool IsEnd(OutputPiece piece) => piece.Stream == OutputStreamKind.Events && Read(piece).What is "completed" or "failed" or "cancelled" or "paused";

    public static OutputView ViewOf(OutputPiece piece)
    {
        JobEventView happened = Read(piece);
        return new OutputView(happened.Attempt, "events", piece.Offset, Encoding.UTF8.GetBytes(Line(happened) + "\n")) { Event = happened };
    }

    /// <summary>For people: the time, what, of which attempt, and why.</summary>
    public static string Line(JobEventView happened)
    {
        string attempt = happened.Attempt > 0 ? string.Create(CultureInfo.InvariantCulture, $" attempt {happened.Attempt}") : "";
        string text = string.Concat(happened.Text.Select(c => char.IsControl(c) ? ' ' : c));
        return string.Create(CultureInfo.InvariantCulture, $"{happened.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fff}Z {happened.What}{attempt}{(text.Length > 0 ? ": " : "")}{text}");
    }

    private static JobEventView Unknown(OutputPiece piece) => new(piece.Offset, DateTimeOffset.UnixEpoch, "unknown", 0, "");
}
