namespace Akka.TestKit.Internal;

/// <summary>Waits for a condition that nothing announces.</summary>
internal static class Waiting
{
    /// <param name="blocking">True never gives the thread back: the task is complete on return.</param>
    /// <returns>Whether the condition became true in time.</returns>
    public static ValueTask<bool> Until(Func<bool> condition, TimeSpan max, TimeSpan interval, bool blocking, CancellationToken cancellation) =>
        Until(() => new ValueTask<bool>(condition()), max, interval, blocking, cancellation);

    public static async ValueTask<bool> Until(Func<ValueTask<bool>> condition, TimeSpan max, TimeSpan interval, bool blocking, CancellationToken cancellation)
    {
        TimeSpan end = TestKitBase.Now + max;
        while (!await condition())
        {
            TimeSpan left = end - TestKitBase.Now;
            if (left <= TimeSpan.Zero)
                return false;
            await Pause(left < interval ? left : interval, blocking, cancellation);
        }

        return true;
    }

    public static ValueTask Pause(TimeSpan time, bool blocking, CancellationToken cancellation)
    {
        if (!blocking)
            return new ValueTask(Task.Delay(time, cancellation));
        cancellation.WaitHandle.WaitOne(time);
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }
}
