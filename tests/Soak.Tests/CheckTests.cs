using AgentMesh.Node.Control;
using Soak.Checks;
using Soak.Nodes;
using Soak.Planning;
using Soak.Running;

namespace Soak.Tests;

public sealed class CheckTests
{
    private static readonly WorkItem Sum = new(1, TimeSpan.Zero, 0, 1, WorkKind.Calc, "calc 1+2", "3", TimeSpan.FromSeconds(20));

    private readonly Board _board = new();
    private readonly History _history = new();

    [Fact]
    public void A_right_answer_in_time_violates_nothing()
    {
        Told(Sum, 0.1, Job("a", "completed", "3"));
        Assert.Empty(_board.Violations);
    }

    [Fact]
    public void A_wrong_result_is_a_violation()
    {
        Told(Sum, 0.1, Job("a", "completed", "4"));
        Assert.Single(_board.Violations);
    }

    [Fact]
    public void A_late_answer_is_a_violation_unless_the_home_was_stopped()
    {
        Told(Sum, 32, Job("a", "completed", "3"));
        Assert.Single(_board.Violations);

        Stop(node: 0, from: 2, to: 10);
        var again = new Board();
        new SubmissionChecks(_history, 2).Run(again);
        Assert.Empty(again.Violations);
    }

    [Fact]
    public void A_refusal_is_a_violation_unless_a_fault_explains_it()
    {
        Refused(Sum, new ProblemView("AM0304", "offline", null));
        Assert.Single(_board.Violations);

        Stop(node: 1, from: 0, to: 1);
        var again = new Board();
        new SubmissionChecks(_history, 2).Run(again);
        Assert.Empty(again.Violations);
    }

    [Fact]
    public void A_defect_is_a_violation_whatever_happened()
    {
        Stop(node: 0, from: 0, to: 1);
        Refused(Sum, new ProblemView("AM0200", "unexpected failure", null));
        Assert.Single(_board.Violations);
    }

    [Fact]
    public void Two_jobs_for_one_key_are_a_violation()
    {
        WorkItem keyed = Sum with { Key = "k" };
        Told(keyed, 0.1, Job("a", "completed", "3"), check: false);
        Told(keyed, 0.1, Job("b", "completed", "3"));
        Assert.Single(_board.Violations);
    }

    [Theory]
    [InlineData("running", 1)]
    [InlineData("failed", 1)]
    [InlineData("cancelled", 1)]
    [InlineData("completed", 0)]
    public void A_job_must_be_at_rest_in_a_state_that_somebody_wanted(string state, int violations)
    {
        var known = new KnownJob("a", 0, Sum, TimeSpan.Zero, [], CancelTried: false, CancelTaken: false);
        new JobChecks(_history).Run(_board, known, Job("a", state, "3"));
        Assert.Equal(violations, _board.Violations.Count);
    }

    [Fact]
    public void An_unknown_job_a_changed_result_and_a_completion_after_cancel_are_violations()
    {
        var known = new KnownJob("a", 0, Sum, TimeSpan.Zero, [Job("a", "completed", "3") with { Attempt = 2 }], CancelTried: true, CancelTaken: true);
        new JobChecks(_history).Run(_board, known, null);
        Assert.Single(_board.Violations);

        new JobChecks(_history).Run(_board, known, Job("a", "completed", "3"));
        Assert.Equal(3, _board.Violations.Count);
    }

    [Fact]
    public void A_second_attempt_without_a_fault_is_a_violation()
    {
        var known = new KnownJob("a", 0, Sum, TimeSpan.Zero, [], CancelTried: false, CancelTaken: false);
        JobView second = Job("a", "completed", "3") with { Attempt = 2 };
        new JobChecks(_history).Run(_board, known, second);
        Assert.Single(_board.Violations);

        Stop(node: 1, from: 0, to: 2);
        var again = new Board();
        new JobChecks(_history).Run(again, known, second);
        Assert.Empty(again.Violations);
    }

    [Fact]
    public void Memory_that_grows_over_the_last_half_of_a_life_is_a_violation_and_growth_at_the_start_is_not()
    {
        MemoryChecks.Check(_board, "n0", [.. Enumerable.Range(0, 100).Select(i => Sample(i, 80 + Math.Min(i, 50)))]);
        Assert.Empty(_board.Violations);

        MemoryChecks.Check(_board, "n0", [.. Enumerable.Range(0, 100).Select(i => Sample(i, 80 + (2 * i)))]);
        Assert.Single(_board.Violations);
    }

    [Fact]
    public void Anything_after_a_completion_and_a_second_acceptance_are_violations()
    {
        JournalChecks.Check(_board, "a", "job-event.completed.1", ["job-event.accepted-placed.1", "job-event.completed.1"]);
        Assert.Empty(_board.Violations);

        JournalChecks.Check(_board, "a", "job-event.completed.1", ["job-event.accepted-placed.1", "job-event.accepted-placed.1", "job-event.completed.1", "job-event.completed.1"]);
        Assert.Equal(2, _board.Violations.Count);
    }

    private static MemorySample Sample(int index, long megabytes) => new(TimeSpan.FromSeconds(5 * index), megabytes << 20, 30, 100);

    private static JobView Job(string id, string state, string? result) => new(
        id, id, state, "calc", "d", "n1", 1, 3, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(1), result, 0, null, null, null, null, null, null);

    private void Stop(int node, double from, double to) =>
        _history.Faults.Enqueue(new FaultRun(new Fault(1, TimeSpan.FromSeconds(from), node, FaultKind.Stop, TimeSpan.FromSeconds(to - from)), TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to), null));

    private void Told(WorkItem item, double seconds, JobView job, bool check = true)
    {
        var submission = new Submission(item) { EndedAt = TimeSpan.FromSeconds(seconds) };
        submission.Take(new CommandEvent("accepted", Job: job));
        submission.Take(new CommandEvent("ended", Job: job));
        Run(submission, check);
    }

    private void Refused(WorkItem item, ProblemView problem)
    {
        var submission = new Submission(item) { EndedAt = TimeSpan.FromSeconds(0.1) };
        submission.Take(problem);
        Run(submission, check: true);
    }

    private void Run(Submission submission, bool check)
    {
        _history.Submissions.Enqueue(submission);
        if (check)
        {
            new SubmissionChecks(_history, 2).Run(_board);
        }
    }
}
