using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobDeliveryRulesTests
{
    private static readonly AttemptResult Result = new(AttemptOutcome.Succeeded, 0, "3");

    [Theory]
    [InlineData(NotifyOn.Any, "paused completed failed cancelled")]
    [InlineData(NotifyOn.Failure, "paused failed")]
    [InlineData(NotifyOn.Success, "completed")]
    [InlineData(null, "")]
    public void An_end_is_due_where_the_caller_wants_it_told(NotifyOn? on, string told)
    {
        JobSpec spec = on is { } wanted ? Told(wanted) : Spec;
        IEnumerable<string> due = Ends(Start).Where(end => Accepted(spec).Apply(JobDeliveryRules.Marked(spec, end, 7)).Delivery is { IsDue: true }).Select(end => Accepted(spec).Apply(end).Name.ToString().ToLowerInvariant());
        Assert.Equal(told, string.Join(' ', due));
    }

    [Fact]
    public void What_is_told_is_what_the_job_has_and_its_key()
    {
        JobSpec spec = Told(NotifyOn.Any) with { IdempotencyKey = "mine" };
        Parcel parcel = JobDeliveryRules.Ready(Completed(spec), Start.AddSeconds(9))!;
        Assert.Equal((Job, JobStateName.Completed, 1, "https://example.org/hook", "mine"), (parcel.JobId, parcel.State, parcel.Attempt, parcel.Url, parcel.Key));
        Assert.Equal(("3", Start.AddSeconds(9), "gpu-box", 1), (parcel.Report.Text, parcel.Report.EndedAt, parcel.Report.On, parcel.Report.Attempt));
        Assert.Null(parcel.Scheduled);
    }

    [Fact]
    public void Each_end_of_a_job_has_an_id_of_its_own_and_the_same_one_from_a_snapshot()
    {
        JobState first = Completed(Told(NotifyOn.Any));
        string id = JobDeliveryRules.Ready(first, Start.AddHours(1))!.DeliveryId;
        Assert.Matches("^[0-9a-f]{32}$", id);
        Assert.Equal(id, JobDeliveryRules.Ready(JobSnapshot.Of(first).ToState(Job).Recovered(Start.AddHours(2)), Start.AddHours(2))!.DeliveryId);
        Assert.Equal(id, JobDeliveryRules.Ready(first.Shifted(TimeSpan.FromHours(1)), Start.AddHours(2))!.DeliveryId);

        JobState paused = Accepted(Told(NotifyOn.Any)).Apply(new PausedEvent(Start, 0, null, new Problem("AM0314", "late")) { IsDue = true });
        JobState again = paused.Apply(new RetriedEvent(Start.AddMinutes(1), Laptop));
        Assert.Null(again.Delivery);
        again = again.Apply(new PausedEvent(Start.AddMinutes(2), 0, null, new Problem("AM0314", "late")) { IsDue = true });
        Assert.NotEqual(JobDeliveryRules.Ready(paused, Start)!.DeliveryId, JobDeliveryRules.Ready(again, Start.AddMinutes(2))!.DeliveryId);

        // Two ends without an attempt in the same millisecond, or seemingly so.
        JobState waited = JobState.None(Job).Apply(new AcceptedEvent(Start, Told(NotifyOn.Any), null)).Apply(Marked(new CancelledEvent(Start, 0, null, null), 2));
        JobState second = waited.Apply(new RetriedEvent(Start, Laptop)).Apply(Marked(new CancelledEvent(Start, 0, null, null), 4));
        Assert.Equal((waited.EndedAt, waited.Attempt), (second.EndedAt, second.Attempt));
        Assert.NotEqual(JobDeliveryRules.Ready(waited, Start)!.DeliveryId, JobDeliveryRules.Ready(second, Start)!.DeliveryId);

        static IJobEvent Marked(IJobEvent change, long number) => JobDeliveryRules.Marked(Told(NotifyOn.Any), change, number);
    }

    // As the version had it that began with them: what was not taken before an update is repeated under the id that it had.
    [Fact]
    public void An_end_in_a_journal_of_before_keeps_its_id()
    {
        JobState job = Accepted(Told(NotifyOn.Any)).Apply(new CompletedEvent(Start.AddSeconds(9), 1, Result) { IsDue = true });
        string expected = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Job}/1/{Start.AddSeconds(9).ToUnixTimeMilliseconds()}")).AsSpan(0, 16));
        Parcel parcel = JobDeliveryRules.Ready(job, Start.AddHours(1))!;
        Assert.Equal(expected, parcel.DeliveryId);
        job = job.Apply(JobDeliveryRules.Ended(job, expected, DeliveryAnswer.Of(503, "", null), Start.AddHours(1))!);
        Assert.Equal(expected, JobDeliveryRules.Ready(job, Start.AddHours(2))!.DeliveryId);
    }

    [Fact]
    public void Attempts_end_after_eight_and_the_job_stays_as_it_was()
    {
        JobState job = Completed(Told(NotifyOn.Any));
        for (int attempt = 1; attempt <= DeliveryRules.AttemptsMax; attempt++)
        {
            DateTimeOffset now = Start.AddHours(attempt);
            Parcel parcel = JobDeliveryRules.Ready(job, now)!;
            Assert.Equal(attempt, parcel.Attempt);
            job = job.Apply(JobDeliveryRules.Ended(job, parcel.DeliveryId, DeliveryAnswer.Of(503, "come later", null), now)!);
            Assert.Null(JobDeliveryRules.Ready(job, now));
        }

        Assert.Equal((DeliveryState.GivenUp, 8, 503, MeshErrors.NotifyUsedUp), (job.Delivery!.State, job.Delivery.Attempts, job.Delivery.Status, job.Delivery.Problem!.Code));
        Assert.Equal((JobStateName.Completed, Start.AddSeconds(9)), (job.Name, job.EndedAt));
        Assert.Null(JobDeliveryRules.UntilNext(job, Start.AddDays(1)));
    }

    [Fact]
    public void A_late_answer_for_an_earlier_end_changes_nothing()
    {
        JobState job = Accepted(Told(NotifyOn.Any)).Apply(new PausedEvent(Start, 0, null, new Problem("AM0314", "late")) { IsDue = true });
        string first = JobDeliveryRules.Ready(job, Start)!.DeliveryId;
        job = job.Apply(new RetriedEvent(Start.AddMinutes(1), Laptop));
        Assert.Null(JobDeliveryRules.Ended(job, first, DeliveryAnswer.Of(204, "", null), Start));
        job = job.Apply(new CancelledEvent(Start.AddMinutes(2), 0, null, null) { IsDue = true });
        Assert.Null(JobDeliveryRules.Ended(job, first, DeliveryAnswer.Of(204, "", null), Start));
        Assert.NotNull(JobDeliveryRules.Ended(job, JobDeliveryRules.Ready(job, Start.AddMinutes(2))!.DeliveryId, DeliveryAnswer.Of(204, "", null), Start));
    }

    private static IJobEvent[] Ends(DateTimeOffset at) =>
    [
        new PausedEvent(at, 0, null, new Problem("AM0314", "late")),
        new CompletedEvent(at, 1, Result),
        new FailedEvent(at, 1, null, new Problem("AM0323", "3")),
        new CancelledEvent(at, 1, null, null),
    ];

    private static JobSpec Told(NotifyOn on) => Spec with { Notify = new Notify("https://example.org/hook", on) };

    private static JobState Accepted(JobSpec spec) => JobState.None(Job).Apply(new AcceptedEvent(Start, spec, new Placement(1, Gpu, 5)));

    private static JobState Completed(JobSpec spec) => Accepted(spec).Apply(JobDeliveryRules.Marked(spec, new CompletedEvent(Start.AddSeconds(9), 1, Result), 7));
}
