namespace Simulation.Engine;

/// <summary>A world that follows from a seed.</summary>
internal interface ISimulated
{
    /// <summary>The same for the same history.</summary>
    ulong Trace { get; }

    long Steps { get; }

    /// <summary>What went wrong, and how often.</summary>
    Dictionary<string, int> Counts { get; }

    /// <summary>Values of which the percentiles over all seeds are of interest, by name.</summary>
    IReadOnlyDictionary<string, List<double>> Measured { get; }

    /// <summary>From the beginning to the last check, which throws.</summary>
    void Run();
}

/// <summary>A world whose time is that of a <see cref="SimLoop"/>.</summary>
internal interface ILoopWorld : ISimulated
{
    private static readonly IReadOnlyDictionary<string, List<double>> Nothing = new Dictionary<string, List<double>>(StringComparer.Ordinal);

    SimLoop Loop { get; }

    ulong ISimulated.Trace => Loop.Trace;

    long ISimulated.Steps => Loop.Steps;

    IReadOnlyDictionary<string, List<double>> ISimulated.Measured => Nothing;
}
