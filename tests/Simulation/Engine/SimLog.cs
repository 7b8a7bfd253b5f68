using Microsoft.Extensions.Logging;

namespace Simulation.Engine;

/// <summary>What a node says is a part of the history.</summary>
internal sealed class SimLog(SimLoop loop, string name) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        loop.Note($"{name}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})")}");
}
