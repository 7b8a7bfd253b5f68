using AgentMesh.Errors;
using AgentMesh.Journal;

namespace AgentMesh.Node.Output;

/// <summary>Which streams of a job are read.</summary>
/// <param name="Output">Null for both.</param>
internal readonly record struct LogStreams(bool HasOutput, OutputStreamKind? Output, bool HasEvents)
{
    /// <param name="text">Names with commas between; null for stdout and stderr.</param>
    /// <exception cref="MeshException">AM0208: one of them is no stream.</exception>
    public static LogStreams Parse(string? text)
    {
        bool isOut = false, isError = false, isEvents = false;
        foreach (string name in (text ?? "both").Split(',', StringSplitOptions.TrimEntries))
        {
            (isOut, isError, isEvents) = name switch
            {
                "stdout" or "out" => (true, isError, isEvents),
                "stderr" or "err" => (isOut, true, isEvents),
                "both" => (true, true, isEvents),
                "events" => (isOut, isError, true),
                "all" => (true, true, true),
                _ => throw new MeshException(NodeErrors.ControlRequest, $"'{name}' is no stream", "streams are out, err, both, events and all; several with commas between"),
            };
        }

        return new LogStreams(isOut || isError, isOut == isError ? null : isOut ? OutputStreamKind.Stdout : OutputStreamKind.Stderr, isEvents);
    }
}
