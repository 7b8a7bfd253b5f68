namespace AgentMesh.Mesh.Tests;

/// <summary>The system's time, and what a test adds to it.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _passed;
    private long _set;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _passed) + Interlocked.Read(ref _set));

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Interlocked.Read(ref _passed) / (double)TimeSpan.TicksPerSecond * TimestampFrequency);

    /// <summary>Time passes.</summary>
    public void Advance(TimeSpan by) => Interlocked.Add(ref _passed, by.Ticks);

    /// <summary>Somebody sets the clock; no time passes.</summary>
    public void Set(TimeSpan by) => Interlocked.Add(ref _set, by.Ticks);
}
