using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Groups;

public sealed class GroupEntityTests
{
    [Fact]
    public async Task No_more_jobs_than_the_limit_have_their_turn_and_the_next_has_it_when_one_is_over()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 2);
        lab.AskTurn(1);
        lab.AskTurn(2);
        Assert.Equal([1, 2], await lab.NextGranted(2));
        lab.AskTurn(3);
        Assert.Equal($"the group train is full: 2 of 2 places are held by {GroupLab.Job(1).Short}, {GroupLab.Job(2).Short}", await lab.NextWhy());
        lab.AskTurn(4);
        Assert.EndsWith("; 1 before it", await lab.NextWhy(), StringComparison.Ordinal);

        lab.Ends(2);
        Assert.Equal([3], await lab.NextGranted(1));
        lab.Unknown(1);
        Assert.Equal([4], await lab.NextGranted(1));
    }

    [Fact]
    public async Task Who_has_its_turn_has_it_still_after_the_process_was_killed_and_no_one_else()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        Assert.Equal([1], await lab.NextGranted(1));

        await lab.Restart();
        lab.AskTurn(2);
        Assert.Contains(GroupLab.Job(1).Short, await lab.NextWhy(), StringComparison.Ordinal);
        lab.AskTurn(1);
        Assert.Equal([1], await lab.NextGranted(1));
        Assert.Equal([GroupLab.Job(1)], await lab.NextWatched(1));

        lab.Ends(1, JobStateName.Paused);
        Assert.Equal([2], await lab.NextGranted(1));
    }

    [Fact]
    public async Task A_job_that_is_tried_again_before_its_place_was_given_back_keeps_it()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        await lab.NextGranted(1);

        // Both wait for the recovery, and what follows from the first comes behind the second.
        await lab.Restart();
        lab.Ends(1, JobStateName.Paused);
        lab.AskTurn(1);
        lab.AskTurn(2);
        Assert.Equal([1], await lab.NextGranted(1));
        Assert.Equal(GroupLab.Job(1), Assert.Single((await lab.View()).Holders));
    }

    [Fact]
    public async Task A_job_that_says_nothing_is_asked_again_a_quarter_of_a_minute_later()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        await lab.NextGranted(1);
        await lab.NextWatched(1);

        lab.Time.Advance(TimeSpan.FromSeconds(15));
        lab.AskTurn(2);
        Assert.Equal([GroupLab.Job(1)], await lab.NextWatched(1));
    }

    [Fact]
    public async Task A_job_that_refuses_to_answer_is_asked_again_soon()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        await lab.NextGranted(1);
        await lab.NextWatched(1);

        lab.Refuses(1);
        await lab.View();
        lab.Time.Advance(TimeSpan.FromSeconds(1));
        lab.AskTurn(2);
        Assert.Equal([GroupLab.Job(1)], await lab.NextWatched(1));
        lab.Ends(1);
        Assert.Equal([2], await lab.NextGranted(1));
    }

    [Fact]
    public async Task What_a_device_says_that_is_no_member_does_not_count_and_has_the_job_asked_again_soon()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        await lab.NextGranted(1);
        await lab.NextWatched(1);

        // Again and again, it would put the question off if each time counted from the last.
        for (int i = 2; i <= 3; i++)
        {
            lab.EndsAt(Gpu, 1);
            await lab.View();
            lab.Time.Advance(TimeSpan.FromSeconds(0.6));
            lab.AskTurn(i);
        }

        Assert.Equal([GroupLab.Job(1)], await lab.NextWatched(1));
        Assert.Equal(1, (await lab.View()).Holding);
        lab.Members = lab.Members.Add(Gpu);
        lab.EndsAt(Gpu, 1);
        Assert.Equal([2], await lab.NextGranted(1));
    }

    [Fact]
    public async Task The_higher_priority_goes_first_and_users_take_turns()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1, paused: true);
        lab.AskTurn(1, share: "ada");
        lab.AskTurn(2, share: "ada");
        lab.AskTurn(3, share: "bob");
        lab.AskTurn(4, priority: 3, share: "ada");
        await lab.Until(view => view.Waiting == 4);

        await lab.Set(paused: false);
        int[] order = new int[4];
        for (int i = 0; i < 4; i++)
        {
            order[i] = Assert.Single(await lab.NextGranted(1));
            lab.Ends(order[i]);
        }

        // Ada was served first, by priority: then it is the turn of Bob.
        Assert.Equal([4, 3, 1, 2], order);
    }

    [Fact]
    public async Task A_paused_group_lets_none_begin_until_it_is_resumed_also_across_a_restart()
    {
        await using var lab = new GroupLab();
        await lab.Set(paused: true);
        lab.AskTurn(1);
        Assert.Contains("the group train is paused", await lab.NextWhy(), StringComparison.Ordinal);

        await lab.Restart();
        lab.AskTurn(1);
        Assert.Contains("is paused", await lab.NextWhy(), StringComparison.Ordinal);
        await lab.Set(paused: false);
        Assert.Equal([1], await lab.NextGranted(1));
    }

    [Fact]
    public async Task A_lower_limit_takes_no_turn_away()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 3);
        for (int job = 1; job <= 3; job++)
        {
            lab.AskTurn(job);
        }

        await lab.NextGranted(3);
        GroupView view = await lab.Set(max: 1);
        Assert.Equal((3, 1), (view.Holding, view.Settings.Max));
        lab.AskTurn(4);
        lab.Ends(1);
        lab.Ends(2);
        await lab.Until(view => view.Holding == 1);
        lab.Ends(3);
        Assert.Equal([4], await lab.NextGranted(1));
    }

    [Fact]
    public async Task Who_does_not_ask_any_more_is_passed_over()
    {
        await using var lab = new GroupLab();
        await lab.Set(max: 1);
        lab.AskTurn(1);
        await lab.NextGranted(1);
        lab.AskTurn(2);
        lab.AskTurn(3);
        await lab.Until(view => view.Waiting == 2);
        lab.Time.Advance(TimeSpan.FromMinutes(2));
        lab.AskTurn(3);
        await lab.Until(view => view.Waiting == 1);

        lab.Ends(1);
        Assert.Equal([3], await lab.NextGranted(1));
    }

    [Fact]
    public async Task A_group_that_nobody_has_set_counts_its_jobs_and_has_no_limit()
    {
        await using var lab = new GroupLab();
        Assert.Equal(MeshErrors.UnknownGroup, (await lab.Ask<GroupProblem>(new GetGroup(GroupLab.Id))).Problem.Code);
        for (int job = 1; job <= 300; job++)
        {
            lab.AskTurn(job);
        }

        Assert.Equal(300, (await lab.NextGranted(300)).Distinct().Count());
        GroupView view = await lab.View();
        Assert.Equal((false, null, 300, 300L, 100), (view.IsSet, view.Settings.Max, view.Holding, view.Granted, view.Holders.Length));
        Assert.Equal(MeshErrors.BadGroupLimit, (await lab.Ask<GroupProblem>(new SetGroup(GroupLab.Id, 0, false, null))).Problem.Code);

        await lab.Set(max: 2);
        await lab.Ask<GroupRemoved>(new RemoveGroup(GroupLab.Id));
        await lab.Until(view => view is { IsSet: false, Settings.Max: null, Holding: 300 });
    }
}
