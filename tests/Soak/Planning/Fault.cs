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

    /// <summary>Packets between some nodes are lost for the duration.</summary>
    Cut,
}

/// <param name="Node">Which node it happens to; the first of them for a cut.</param>
internal sealed record Fault(int Number, TimeSpan At, int Node, FaultKind Kind, TimeSpan Duration)
{
    /// <summary>So long a node may take to end or to start on a busy machine; the plan leaves it alone for this long.</summary>
    private static readonly TimeSpan StartTakes = TimeSpan.FromSeconds(10);

    /// <summary>From and to: what is sent in this direction is lost.</summary>
    public IReadOnlyList<(int From, int To)> Cuts { get; init; } = [];

    public TimeSpan OverAt => At + Duration + (Kind is FaultKind.Kill or FaultKind.Down ? StartTakes : TimeSpan.Zero);

    public bool Hits(int node) => Kind == FaultKind.Cut ? Cuts.Any(cut => cut.From == node || cut.To == node) : Node == node;

    public bool IsActive(TimeSpan moment) => At <= moment && moment < OverAt;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds,8:0.000} {What} for {Duration.TotalSeconds:0.0} s");

    public string What => Kind == FaultKind.Cut ? $"Cut {string.Join(", ", Cuts.Select(cut => $"n{cut.From}>n{cut.To}"))}" : $"n{Node} {Kind}";
}
