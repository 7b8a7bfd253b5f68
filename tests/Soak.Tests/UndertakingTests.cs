using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using Soak.Checks;
using Soak.Planning;

namespace Soak.Tests;

public sealed class UndertakingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DeviceId Device = DeviceId.Parse(new string('a', DeviceId.TextLength));
    private static readonly JobSpec Spec = new(
        JobCommand.Handler("calc 1"), new JobTarget(Device, "@a", "a"), new Caller(Device, "a", "user"), RetryPolicy.Default, JobTimeouts.Default, null, true);

    private readonly Board _board = new();

    [Fact]
    public void A_plan_has_arrays_pipes_workflows_and_schedules_of_every_policy()
    {
        SoakPlan plan = SoakPlan.Make(new SoakOptions(2, 11, 1.5, Network: false, PlanOnly: false, Keep: false));

        Assert.Equal(4, plan.Undertakings.Select(item => item.GetType()).Distinct().Count());
        Assert.Equal(["all", "once", "skip", "window 2h"], plan.Undertakings.OfType<CronUndertaking>().Select(cron => cron.Missed).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(plan.Undertakings.Count, plan.Undertakings.Select(item => item.Tag).Distinct().Count());
        Assert.Contains(plan.Work, item => item.Kind == WorkKind.Grouped);
    }

    [Fact]
    public void A_pipe_is_one_line_with_a_stage_for_each_device()
    {
        var pipe = new PipeUndertaking(default, 0, "tag", [1, 2, 0], new NumberedLines("tag", 2, 3, TimeSpan.Zero), TimeSpan.FromMinutes(1));
        PipeLine read = PipeLine.Parse(pipe.Line(node => $"n{node}"));

        Assert.Equal(3, read.Stages.Count);
        Assert.Equal(["run", "--", .. pipe.Lines.Words], Quoting.Split(read.Stages[0].Command));
    }

    [Fact]
    public void The_value_of_a_step_is_its_own_and_those_of_all_that_it_needs()
    {
        var workflow = new WorkflowUndertaking(default, 0, "tag", [new PlannedStep(0, 1, [], false), new PlannedStep(0, 10, [0], false), new PlannedStep(0, 100, [0, 1], true)]);

        Assert.Equal([1, 11, 112], Enumerable.Range(0, 3).Select(workflow.ValueOf));
    }

    [Fact]
    public void Programs_of_a_group_that_overlap_count_together_and_a_program_that_was_killed_does_not_count()
    {
        string[] lines = ["+ a 1 100", "+ b 1 150", "- a 1 200", "+ c 1 200", "- b 1 250", "- c 1 300", "+ d 1 160"];
        Mark[] marks = [.. lines.Select(Mark.Parse)];

        Assert.Equal(2, MarkChecks.AtOnce(marks).Jobs);
    }

    [Fact]
    public void Two_attempts_with_one_number_are_a_violation()
    {
        string folder = Directory.CreateTempSubdirectory("agentmesh-marks-").FullName;
        try
        {
            File.WriteAllLines(Path.Combine(folder, "arrays"), ["+ a 1 100", "+ a 2 200", "+ a 1 300"]);
            MarkChecks.Run(_board, folder, "group", 2);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.Single(_board.Violations);
    }

    [Fact]
    public void A_schedule_that_fired_every_minute_or_counted_it_violates_nothing()
    {
        Cron(CronMissed.Skip, Fired(1), new CronMissedEvent(Noon.AddMinutes(4), Noon.AddMinutes(3), 2, CronMissedReason.Away, 2), Fired(4));
        Assert.Empty(_board.Violations);
    }

    [Fact]
    public void A_minute_that_was_neither_fired_nor_counted_is_a_violation()
    {
        Cron(CronMissed.Skip, Fired(1), Fired(3), Fired(4));
        Assert.Single(_board.Violations);
    }

    [Fact]
    public void A_minute_that_was_fired_twice_is_a_violation()
    {
        Cron(CronMissed.All, Fired(1), Fired(2), Fired(2), Fired(3), Fired(4));
        Assert.NotEmpty(_board.Violations);
    }

    [Fact]
    public void A_schedule_that_makes_up_for_everything_must_not_miss()
    {
        Cron(CronMissed.All, Fired(1), new CronMissedEvent(Noon.AddMinutes(4), Noon.AddMinutes(3), 2, CronMissedReason.Away, 2), Fired(4));
        Assert.Single(_board.Violations);
    }

    [Fact]
    public void An_element_whose_end_was_recorded_twice_is_a_violation()
    {
        var id = ArrayId.FromIdempotencyKey(Device, "a");
        var run = new ElementRun(0, 1, JobId.FromIdempotencyKey(Device, "j"), Device, "a", Noon);
        var end = new ElementEnd(run, JobStateName.Completed, 0, null, "1", Noon, Noon);
        IArrayEvent[] once =
        [
            new ArrayAcceptedEvent(Noon, new ArraySpec(Spec, new ArrayTargets("@all", true, [], []), new ArrayItems([""], ["0"]), null)),
            new ElementsPlacedEvent(Noon, [run]),
            new ElementsEndedEvent(Noon, [end]),
            new ArrayEndedEvent(Noon),
        ];
        RecordedChecks.CheckArray(_board, "once", id, once);
        Assert.Empty(_board.Violations);

        RecordedChecks.CheckArray(_board, "twice", id, [.. once[..3], new ElementsEndedEvent(Noon, [end]), once[3]]);
        Assert.NotEmpty(_board.Violations);
    }

    private static CronFiredEvent Fired(int minute) =>
        new(Noon.AddMinutes(minute), Noon.AddMinutes(minute), JobId.FromIdempotencyKey(Device, $"{minute}"), CronCause.Schedule, 1);

    private void Cron(CronMissed missed, params ICronEvent[] changes) => RecordedChecks.CheckCron(
        _board,
        "cron",
        new CronId(Device, "c"),
        [
            new CronCreatedEvent(Noon.AddSeconds(5), new CronSpec("* * * * *", "UTC", Spec, missed, CronOverlap.Allow, 0), 1),
            .. changes,
            new CronDisabledEvent(Noon.AddMinutes(4).AddSeconds(30), null),
        ]);
}
