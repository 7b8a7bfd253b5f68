using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 12 of docs/trials.md.</summary>
public sealed class Trial12(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 12, MemberType = typeof(Seeds))]
    public Task A_burst_and_an_unreadable_job_leave_the_others_alone(int first, int last) => TrialRun.OfAsync(12, first, last, output);
}
