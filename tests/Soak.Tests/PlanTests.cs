using Soak.Planning;

namespace Soak.Tests;

public sealed class PlanTests
{
    private static readonly SoakOptions Options = new(5, 7, 1.5, Network: false, PlanOnly: false, Keep: false);

    [Fact]
    public void The_same_seed_makes_the_same_plan_and_another_seed_another()
    {
        string[] one = [.. SoakPlan.Make(Options).Lines()];

        Assert.Equal(one, SoakPlan.Make(Options).Lines());
        Assert.NotEqual(one, SoakPlan.Make(Options with { Seed = 8 }).Lines());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_node_has_two_faults_at_a_time_and_one_is_never_ended(int seed)
    {
        SoakPlan plan = SoakPlan.Make(Options with { Seed = seed });

        Assert.NotEmpty(plan.Faults);
        Assert.All(plan.Faults, fault => Assert.Distinct(plan.Faults.Where(other => other.IsActive(fault.At)).Select(other => other.Node)));
        Assert.DoesNotContain(plan.Faults, fault => fault.Node == plan.Survivor && fault.Kind != FaultKind.Stop);
    }

    [Fact]
    public void Every_kind_of_work_and_of_fault_is_planned()
    {
        SoakPlan plan = SoakPlan.Make(Options with { Minutes = 20, Network = true });

        Assert.Equal(Enum.GetValues<WorkKind>(), plan.Work.Select(item => item.Kind).Distinct().Order());
        Assert.Equal(Enum.GetValues<FaultKind>(), plan.Faults.Select(fault => fault.Kind).Distinct().Order());
        Assert.Contains(plan.Work, item => item.CancelAfter is not null);
        Assert.Contains(plan.Work, item => item.FollowAfter is not null && item.FollowFrom > 0);
    }

    [Fact]
    public void Connections_are_cut_only_in_a_network_of_namespaces_and_in_one_direction_too()
    {
        SoakPlan plan = SoakPlan.Make(Options with { Minutes = 20, Network = true });

        Assert.DoesNotContain(SoakPlan.Make(Options with { Minutes = 20 }).Faults, fault => fault.Kind == FaultKind.Cut);
        Assert.Equal([1, 2, 8, 12], plan.Faults.Where(fault => fault.Kind == FaultKind.Cut).Select(fault => fault.Cuts.Count).Distinct().Order());
    }

    [Fact]
    public void Items_with_the_same_key_are_the_same_command_of_the_same_device()
    {
        WorkItem[] keyed = [.. SoakPlan.Make(Options).Work.Where(item => item.Key is not null)];

        Assert.NotEmpty(keyed);
        Assert.All(keyed.GroupBy(item => item.Key), same => Assert.Single(same.Select(item => (item.Home, item.Target, item.Line, item.Lines)).Distinct()));
        Assert.Contains(keyed.GroupBy(item => item.Key), same => same.Select(item => item.At).Distinct().Count() < same.Count());
    }

    [Fact]
    public void A_program_is_queued_for_a_device_that_is_away_then()
    {
        SoakPlan plan = SoakPlan.Make(Options with { Minutes = 20 });

        Assert.Contains(plan.Work, item => item.Queue && item.Key is null && plan.Faults.Any(fault => fault.Node == item.Target && fault.Kind != FaultKind.Stop && fault.At <= item.At && item.At < fault.At + fault.Duration));
    }

    [Theory]
    [InlineData("--minutes", "0")]
    [InlineData("--minutes")]
    [InlineData("--seed", "-1")]
    [InlineData("--colour")]
    public void Words_that_are_not_understood_are_refused(params string[] words) => Assert.Null(SoakOptions.TryParse(words, 1));

    [Fact]
    public void Options_are_read()
    {
        Assert.Equal(new SoakOptions(2.5, 9, 3, Network: true, PlanOnly: true, Keep: true), SoakOptions.TryParse(["--network", "--minutes", "2.5", "--seed", "9", "--rate", "3", "--plan", "--keep"], 1));
        Assert.Equal(1, SoakOptions.TryParse([], 1)!.Seed);
    }
}
