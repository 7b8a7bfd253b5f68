using Akka.Actor;
using Akka.Event;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2.Internals;

/// <summary>Writes the log to the output of a test.</summary>
public class TestOutputLogger : ReceiveActor
{
    public TestOutputLogger(ITestOutputHelper output)
    {
        Receive<LogEvent>(logged => Write(output, logged));
        Receive<InitializeLogger>(initialize =>
        {
            foreach (LogLevel level in Enum.GetValues<LogLevel>())
            {
                if (level >= initialize.LoggingBus.LogLevel)
                    initialize.LoggingBus.Subscribe(Self, Logging.ClassFor(level));
            }

            Sender.Tell(new LoggerInitialized());
        });
    }

    private static void Write(ITestOutputHelper output, LogEvent logged)
    {
        try
        {
            output.WriteLine(logged.ToString());
        }
        catch (InvalidOperationException)
        {
            // The test is over; its output takes nothing more.
        }
    }
}

/// <summary>Puts a text in front of each line.</summary>
internal sealed class PrefixedOutput(ITestOutputHelper inner, string prefix) : ITestOutputHelper
{
    public void WriteLine(string message) => inner.WriteLine(prefix + message);

    public void WriteLine(string format, params object[] args) => inner.WriteLine(prefix + format, args);
}
