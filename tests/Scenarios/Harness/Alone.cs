namespace Scenarios.Harness;

/// <summary>
/// Tests that have the machine for themselves: they measure times against bars, load it, or look at all that goes over loopback. The others mostly wait, and run side by side
/// before them, as many as xunit.runner.json says.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
