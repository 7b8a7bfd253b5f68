using System.Globalization;

namespace Soak.Planning;

internal enum FaultKind
{
    /// <summary>kill -9, and a start after the duration.</summary>
    Kill,

    /// <summary>SIGSTOP, and SIGCONT after the duration.</summary>
    Stop,

    /// <summary>An orderly end, and a start after the duration.</summary>
    Down,
}

internal sealed record Fault(int Number, TimeSpan At, int Node, FaultKind Kind, TimeSpan Duration)
{
    /// <summary>So long a node may take to end or to start on a busy machine; the plan leaves it alone for this long.</summary>
    private static readonly TimeSpan StartTakes = TimeSpan.FromSeconds(10);

    public TimeSpan OverAt => At + Duration + (Kind == FaultKind.Stop ? TimeSpan.Zero : StartTakes);

    public bool IsActive(TimeSpan moment) => At <= moment && moment < OverAt;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds,8:0.000} n{Node} {Kind} for {Duration.TotalSeconds:0.0} s");
}
