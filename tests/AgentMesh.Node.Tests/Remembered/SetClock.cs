namespace AgentMesh.Node.Tests.Remembered;

/// <summary>A wall clock that is set.</summary>
internal sealed class SetClock : TimeProvider
{
    public static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now { get; set; } = Start;

    public override DateTimeOffset GetUtcNow() => Now;
}
