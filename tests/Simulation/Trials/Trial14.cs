using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 14 of docs/trials.md.</summary>
public sealed class Trial14(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 14, MemberType = typeof(Seeds))]
    public Task Devices_that_rest_say_little_and_notice_at_once_that_one_is_gone(int first, int last) => TrialRun.OfAsync(14, first, last, output);
}
