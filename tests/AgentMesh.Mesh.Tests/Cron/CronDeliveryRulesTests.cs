using AgentMesh.Errors;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Cron.CronSamples;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronDeliveryRulesTests
{
    private const string Url = "https://example.org/hook";

    [Theory]
    [InlineData(NotifyOn.Any, "completed failed cancelled paused")]
    [InlineData(NotifyOn.Failure, "failed paused")]
    [InlineData(NotifyOn.Success, "completed")]
    public void What_is_told_is_what_was_asked_for(NotifyOn on, string told)
    {
        JobStateName[] ends = [JobStateName.Completed, JobStateName.Failed, JobStateName.Cancelled, JobStateName.Paused];
        Assert.Equal(told, string.Join(' ', ends.Where(new Notify(Url, on).Wants).Select(end => end.ToString().ToLowerInvariant())));
    }

    [Theory]
    [InlineData(200, DeliveryVerdict.Delivered, null)]
    [InlineData(202, DeliveryVerdict.Delivered, null)]
    [InlineData(204, DeliveryVerdict.Delivered, null)]
    [InlineData(299, DeliveryVerdict.Delivered, null)]
    [InlineData(301, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(302, DeliveryVerdict.Again, "AM0636")]
    [InlineData(307, DeliveryVerdict.Again, "AM0636")]
    [InlineData(308, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(400, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(401, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(404, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(408, DeliveryVerdict.Again, "AM0636")]
    [InlineData(410, DeliveryVerdict.GivenUp, "AM0634")]
    [InlineData(425, DeliveryVerdict.Again, "AM0636")]
    [InlineData(429, DeliveryVerdict.Again, "AM0636")]
    [InlineData(500, DeliveryVerdict.Again, "AM0636")]
    [InlineData(503, DeliveryVerdict.Again, "AM0636")]
    [InlineData(999, DeliveryVerdict.Again, "AM0636")]
    public void A_status_delivers_is_tried_again_or_ends_it(int status, DeliveryVerdict verdict, string? code)
    {
        var answer = DeliveryAnswer.Of(status, "", null);
        Assert.Equal((verdict, status, code), (answer.Verdict, answer.Status, answer.Problem?.Code));
    }

    [Fact]
    public void Waits_grow_threefold_to_twenty_minutes_and_an_hour_together()
    {
        TimeSpan[] middles = [.. Enumerable.Range(1, DeliveryRules.AttemptsMax - 1).Select(after => Mean(after))];

        Assert.All(middles.Zip([10, 30, 90, 270, 810, 1200, 1200]), each => Assert.InRange(each.First.TotalSeconds / each.Second, 0.97, 1.03));
        Assert.InRange(middles.Sum(wait => wait.TotalMinutes), 58, 62);

        static TimeSpan Mean(int attempts)
        {
            double[] waits = [.. Enumerable.Range(0, 1_000).Select(each => DeliveryRules.Wait($"delivery-{each}", attempts, null).TotalSeconds)];
            Assert.InRange(waits.Max() / waits.Min(), 1.4, 1.5001);
            return TimeSpan.FromSeconds(waits.Average());
        }
    }

    [Theory]
    [InlineData(1, 120, 120)]
    [InlineData(1, 86_400, 1_800)]
    [InlineData(1, -5, 0)]
    [InlineData(6, 1, 0)]
    public void A_receiver_may_ask_for_a_longer_wait_but_not_for_ever(int attempts, int retryAfter, int expected)
    {
        TimeSpan usual = DeliveryRules.Wait("an id", attempts, null);
        TimeSpan wait = DeliveryRules.Wait("an id", attempts, TimeSpan.FromSeconds(retryAfter));
        Assert.Equal(expected == 0 ? usual : TimeSpan.FromSeconds(expected), wait);
    }

    [Fact]
    public void An_id_is_of_one_run_of_one_schedule()
    {
        var job = JobId.FromIdempotencyKey(Home, "one");
        string id = CronDeliveryRules.IdOf(Id, job);
        Assert.Matches("^[0-9a-f]{32}$", id);
        Assert.Equal(id, CronDeliveryRules.IdOf(Id, job));
        Assert.NotEqual(id, CronDeliveryRules.IdOf(Id, JobId.FromIdempotencyKey(Home, "two")));
        Assert.NotEqual(id, CronDeliveryRules.IdOf(new CronId(Home, "other"), job));
    }

    [Fact]
    public void Attempts_end_after_eight_and_the_last_reason_stays()
    {
        CronState cron = With(1);
        for (int attempt = 1; attempt <= DeliveryRules.AttemptsMax; attempt++)
        {
            DateTimeOffset now = Midnight.AddHours(attempt);
            Parcel parcel = CronDeliveryRules.Ready(cron, now)!;
            Assert.Equal(attempt, parcel.Attempt);
            cron = cron.Apply(CronDeliveryRules.Ended(cron, parcel.JobId, DeliveryAnswer.Of(503, "come later", null), now)!);
            Assert.Null(CronDeliveryRules.Ready(cron, now));
        }

        Delivery over = cron.LastDelivery!.Delivery;
        Assert.Equal((DeliveryState.GivenUp, 8, 503, MeshErrors.NotifyUsedUp), (over.State, over.Attempts, over.Status, over.Problem!.Code));
        Assert.Contains("status 503: come later", over.Problem.Text, StringComparison.Ordinal);
        Assert.Null(CronDeliveryRules.UntilNext(cron, Midnight.AddDays(1)));
        Assert.Null(cron.Runs[0].Delivery!.Report);
    }

    [Fact]
    public void What_failed_waits_and_does_not_keep_the_next_from_being_told()
    {
        CronState cron = With(2);
        Parcel first = CronDeliveryRules.Ready(cron, Midnight)!;
        Assert.Equal(cron.Runs[^1].JobId, first.JobId);
        cron = cron.Apply(CronDeliveryRules.Ended(cron, first.JobId, DeliveryAnswer.None("no route"), Midnight)!);

        Assert.Equal(cron.Runs[0].JobId, CronDeliveryRules.Ready(cron, Midnight)!.JobId);
        Assert.Equal(TimeSpan.Zero, CronDeliveryRules.UntilNext(cron, Midnight));
    }

    [Fact]
    public void A_clock_that_is_put_back_does_not_hold_it_up()
    {
        CronState cron = With(1);
        cron = cron.Apply(CronDeliveryRules.Ended(cron, cron.Runs[0].JobId, DeliveryAnswer.None("no route"), Midnight)!);

        Assert.Null(CronDeliveryRules.Ready(cron, Midnight.AddSeconds(1)));
        Assert.NotNull(CronDeliveryRules.Ready(cron, Midnight.AddDays(-1)));
    }

    [Fact]
    public void The_ends_of_runs_that_wait_are_kept_up_to_a_bound_and_the_oldest_goes_with_its_reason()
    {
        CronState cron = With(CronDeliveryRules.DueMax);
        Assert.Equal(CronDeliveryRules.DueMax, cron.Runs.Count);
        Assert.Null(CronDeliveryRules.Next(cron, Midnight));

        cron = With(1, cron);
        CronDeliveryEvent given = CronDeliveryRules.Next(cron, Midnight)!;
        Assert.Equal((cron.Runs[^1].JobId, DeliveryState.GivenUp, MeshErrors.NotifyWithdrawn), (given.JobId, given.Delivery.State, given.Delivery.Problem!.Code));
        cron = cron.Apply(given);
        Assert.Null(CronDeliveryRules.Next(cron, Midnight));
        Assert.Equal(CronDeliveryRules.DueMax, cron.Runs.Count);
    }

    [Fact]
    public void A_schedule_that_names_nobody_any_more_gives_up_what_was_due_and_another_url_gets_it()
    {
        CronState cron = With(2);
        CronState moved = cron.Apply(new CronUpdatedEvent(Midnight, cron.Spec! with { Notify = new Notify("https://example.net/", NotifyOn.Any) }, Life));
        Assert.Equal("https://example.net/", CronDeliveryRules.Ready(moved, Midnight)!.Url);

        CronState silent = cron.Apply(new CronUpdatedEvent(Midnight, cron.Spec! with { Notify = null }, Life));
        Assert.Null(CronDeliveryRules.Ready(silent, Midnight));
        silent = silent.Apply(CronDeliveryRules.Next(silent, Midnight)!);
        silent = silent.Apply(CronDeliveryRules.Next(silent, Midnight)!);
        Assert.Null(CronDeliveryRules.Next(silent, Midnight));
        Assert.All(silent.Runs, run => Assert.Equal(DeliveryState.GivenUp, run.Delivery!.State));
    }

    [Fact]
    public void A_late_answer_for_a_run_that_is_settled_changes_nothing()
    {
        CronState cron = With(1);
        JobId job = cron.Runs[0].JobId;
        cron = cron.Apply(CronDeliveryRules.Ended(cron, job, DeliveryAnswer.Of(204, "", null), Midnight)!);
        Assert.Null(CronDeliveryRules.Ended(cron, job, DeliveryAnswer.Of(500, "", null), Midnight));
        Assert.Null(CronDeliveryRules.Ended(CronState.None(Id), job, DeliveryAnswer.Of(204, "", null), Midnight));
    }

    [Fact]
    public void The_text_of_a_handler_is_cut_at_its_beginning_between_characters()
    {
        string text = "\u00e4" + new string('x', EndReport.TextBytesMax - 1);
        var report = EndReport.Of(new JobView(Job, JobStateName.Completed, SpecOf(), 1, Gpu, new AttemptResult(AttemptOutcome.Succeeded, 0, text), null, Midnight, null, null, null, false, null), Midnight);
        Assert.Equal(text[1..], report.Text);
        Assert.Equal(Midnight, report.EndedAt);
    }

    [Theory]
    [InlineData("https://example.org/hook?x=1%20", null)]
    [InlineData("http://192.168.1.7:8080/", null)]
    [InlineData("https://[2001:db8::1]/", null)]
    [InlineData("ftp://example.org/", "ftp")]
    [InlineData("file:///etc/passwd", "no whole URL")]
    [InlineData("/hook", "")]
    [InlineData("example.org/hook", "no whole URL")]
    [InlineData("https://", "no whole URL")]
    [InlineData("https://me:secret@example.org/", "a password")]
    [InlineData("https://example.org/#part", "#")]
    [InlineData("https://example.org/a b", "no whole URL")]
    [InlineData("https://example.org/\r\nX: y", "no whole URL")]
    [InlineData("", "no whole URL")]
    public void A_url_is_whole_and_holds_no_password(string text, string? says)
    {
        if (says is null)
        {
            Assert.Equal(text, NotifyUrl.Parse(text).AbsoluteUri);
            return;
        }

        MeshException wrong = Assert.Throws<MeshException>(() => NotifyUrl.Parse(text));
        Assert.Equal(MeshErrors.BadNotifyUrl, wrong.Code);
        Assert.Contains(says, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", wrong.Message, StringComparison.Ordinal);
        Assert.Throws<MeshException>(() => NotifyUrl.Parse("https://example.org/" + new string('x', NotifyUrl.CharsMax)));
    }

    /// <summary>So many further runs that are over and are to be told.</summary>
    private static CronState With(int runs, CronState? cron = null)
    {
        cron ??= Told();
        for (int i = 0; i < runs; i++)
        {
            var job = JobId.FromIdempotencyKey(Home, $"run {cron.Fired}");
            cron = cron.Apply(new CronFiredEvent(Midnight, Midnight, job, CronCause.Schedule, Life));
            cron = cron.Apply(new CronRunEndedEvent(Midnight, job, JobStateName.Failed) { Report = new EndReport(1, Gpu, "gpu-box", 1, Midnight, Midnight, null, 0, 0, null) });
        }

        return cron;
    }

    private static CronState Told() => CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec("0 * * * *") with { Notify = new Notify(Url, NotifyOn.Any) }, Life));
}
