using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 13 of docs/trials.md.</summary>
public sealed class Trial13(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 13, MemberType = typeof(Seeds))]
    public Task What_a_program_reads_is_what_the_one_before_it_wrote(int first, int last) => TrialRun.OfAsync(13, first, last, output);
}
