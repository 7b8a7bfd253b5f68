namespace Simulation.Engine;

/// <summary>A world that follows from a seed.</summary>
internal interface ISimulated
{
    SimLoop Loop { get; }

    /// <summary>What went wrong, and how often.</summary>
    Dictionary<string, int> Counts { get; }

    /// <summary>From the beginning to the last check, which throws.</summary>
    void Run();
}
