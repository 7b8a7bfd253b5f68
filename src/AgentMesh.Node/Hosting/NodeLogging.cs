using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Hosting;

/// <summary>The log of a node: a line each on standard output, times in UTC.</summary>
internal static class NodeLogging
{
    public static ILoggerFactory Create(string level) => LoggerFactory.Create(logging => logging.SetMinimumLevel(LevelOf(level)).AddSimpleConsole(console =>
    {
        console.SingleLine = true;
        console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        console.UseUtcTimestamp = true;
    }));

    private static LogLevel LevelOf(string level) => level switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.None,
    };
}
