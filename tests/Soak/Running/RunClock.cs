using System.Diagnostics;

namespace Soak.Running;

/// <summary>Time since the begin of the run, by which everything is recorded.</summary>
internal sealed class RunClock
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public TimeSpan Now => _watch.Elapsed;

    public Task UntilAsync(TimeSpan moment, CancellationToken cancel)
    {
        TimeSpan wait = moment - Now;
        return wait > TimeSpan.Zero ? Task.Delay(wait, cancel) : Task.CompletedTask;
    }
}
