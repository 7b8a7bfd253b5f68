using AgentMesh.Mesh.Retention;

namespace AgentMesh.Mesh.Tests.Retention;

public sealed class RetentionRulesTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private readonly List<RetainedEntity> _all = [];
    private DateTimeOffset _now = Start;

    [Fact]
    public void An_ended_job_goes_when_its_time_has_passed_and_not_before()
    {
        Add("a", RetainedKind.Job);
        Pass(TimeSpan.FromDays(30));
        Add("b", RetainedKind.Job);
        Assert.Empty(Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(["a"], Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
    }

    [Fact]
    public void Of_more_ended_jobs_than_may_be_the_oldest_go()
    {
        foreach (string id in new[] { "a", "b", "c", "d" })
        {
            Add(id, RetainedKind.Job);
            Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["a", "b"], Goes(new RetentionLimits(2, null)));
        Assert.Equal(["a", "b", "c", "d"], Goes(new RetentionLimits(0, null)));
        Assert.Empty(Goes(new RetentionLimits(4, null)));
        Assert.Empty(Goes(new RetentionLimits(null, null)));
    }

    [Fact]
    public void What_has_not_ended_neither_counts_nor_goes()
    {
        Add("open", RetainedKind.Job, ended: false);
        Add("a", RetainedKind.Job);
        Add("open-too", RetainedKind.Job, ended: false);
        Add("b", RetainedKind.Job);
        Pass(TimeSpan.FromDays(1000));
        Assert.Empty(Goes(new RetentionLimits(2, null)));
        Assert.Equal(["a", "b"], Goes(new RetentionLimits(2, TimeSpan.FromDays(1))));
    }

    [Fact]
    public void What_has_just_ended_stays_whatever_is_retained()
    {
        Add("a", RetainedKind.Job);
        Pass(RetentionRules.JustEnded);
        Assert.Empty(Goes(new RetentionLimits(0, TimeSpan.Zero)));
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["a"], Goes(new RetentionLimits(0, TimeSpan.Zero)));
    }

    [Fact]
    public void Parts_stay_as_long_as_their_whole_and_go_with_it()
    {
        Add("w", RetainedKind.Array, ended: false);
        Add("w/1", RetainedKind.Part);
        Pass(TimeSpan.FromDays(100));
        Add("w/2", RetainedKind.Part);
        Assert.Empty(Goes(new RetentionLimits(0, TimeSpan.FromDays(30))));
        End("w");
        Assert.Empty(Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
        Pass(TimeSpan.FromDays(31));
        Assert.Equal(["w", "w/1", "w/2"], Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
    }

    [Fact]
    public void Parts_whose_whole_went_before_a_crash_go_in_the_next_round()
    {
        Add("w/1", RetainedKind.Part);
        Add("v", RetainedKind.Array, ended: false);
        Add("v/1", RetainedKind.Part);
        Assert.Equal(["w/1"], Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_part_a_job_from_its_whole()
    {
        Add("w", RetainedKind.Array, ended: false);
        Pass(TimeSpan.FromDays(-400));
        Add("w/1", RetainedKind.Part);
        Pass(TimeSpan.FromDays(400));
        Assert.Empty(Goes(new RetentionLimits(0, TimeSpan.FromDays(1))));
    }

    [Fact]
    public void A_part_that_comes_between_the_looks_stays()
    {
        Add("a", RetainedKind.Job);
        var rules = new RetentionRules(new RetentionLimits(null, TimeSpan.FromDays(1)), _now);
        rules.Count(_all[0]);
        Add("w/1", RetainedKind.Part);
        Assert.False(rules.TakesJob(_all[1]));
    }

    [Fact]
    public void A_whole_that_could_not_be_removed_keeps_its_parts()
    {
        Add("w", RetainedKind.Array);
        Add("w/1", RetainedKind.Part);
        Pass(TimeSpan.FromDays(40));
        var rules = new RetentionRules(new RetentionLimits(null, TimeSpan.FromDays(30)), _now);
        rules.Count(_all[1]);
        Assert.True(rules.TakesWhole(_all[0]));
        rules.Keep(_all[0]);
        Assert.False(rules.TakesJob(_all[1]));
    }

    [Fact]
    public void A_workflow_that_is_open_keeps_no_elements_of_arrays()
    {
        Add("w", RetainedKind.Workflow, ended: false);
        Add("a", RetainedKind.Array);
        Add("a/1", RetainedKind.Part);
        Pass(TimeSpan.FromDays(40));
        Assert.Equal(["a", "a/1"], Goes(new RetentionLimits(null, TimeSpan.FromDays(30))));
    }

    private static bool IsWhole(RetainedEntity each) => each.Kind is RetainedKind.Array or RetainedKind.Workflow;

    private void Pass(TimeSpan time) => _now += time;

    private void Add(string id, RetainedKind kind, bool ended = true) => _all.Add(new RetainedEntity(id, kind, ended, _all.Count + 1, 2, _now));

    private void End(string id)
    {
        int at = _all.FindIndex(each => each.Id == id);
        _all[at] = _all[at] with { IsEnded = true, LastAt = _now };
    }

    /// <summary>In the order in which they were accepted.</summary>
    private List<string> Goes(RetentionLimits limits)
    {
        var rules = new RetentionRules(limits, _now);
        foreach (RetainedEntity job in Enumerable.Reverse(_all).Where(each => !IsWhole(each)))
        {
            rules.Count(job);
        }

        HashSet<string> wholes = [.. _all.Where(each => IsWhole(each)).Where(rules.TakesWhole).Select(each => each.Id)];
        return [.. _all.Where(each => IsWhole(each) ? wholes.Contains(each.Id) : rules.TakesJob(each)).Select(each => each.Id)];
    }
}
