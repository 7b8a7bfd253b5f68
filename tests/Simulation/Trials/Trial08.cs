using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 8 of docs/trials.md.</summary>
public sealed class Trial08(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 8, MemberType = typeof(Seeds))]
    public Task A_journal_that_refuses_is_slow_or_loses_answers_leads_to_no_loss_and_no_duplicate(int first, int last) => TrialRun.OfAsync(8, first, last, output);
}
