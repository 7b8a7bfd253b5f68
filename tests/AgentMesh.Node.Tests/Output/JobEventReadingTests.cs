using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using JobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Tests.Output;

/// <summary>The third stream of a job whose journal is a list of the test's.</summary>
public sealed class JobEventReadingTests
{
    private static readonly DeviceId Home = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly JobId Job = JobId.FromIdempotencyKey(Home, "a");

    private readonly List<JobEventView> _journal = [];
    private readonly Queue<JobView?> _looks = new();
    private JobView _view = View(JobStateName.Completed);

    [Fact]
    public async Task Reads_from_a_number_the_last_ones_and_those_of_an_attempt()
    {
        Happens(("accepted", 1), ("retrying", 1), ("placed", 2), ("completed", 2));
        Assert.Equal("accepted retrying placed completed", await Read(default));
        Assert.Equal("placed completed", await Read(3));
        Assert.Equal("completed", await Read(new OutputStart(0, 1)));
        Assert.Equal("", await Read(new OutputStart(0, 0)));
        Assert.Equal("placed completed", await Read(default, attempt: 2));
        Assert.Equal("", await Read(5));
    }

    [Fact]
    public async Task A_long_history_is_read_page_by_page()
    {
        Happens([.. Enumerable.Range(0, 2_345).Select(_ => ("checkpointed", 1))]);
        Assert.Equal(2_345, (await Read(default)).Split(' ').Length);
        Assert.Equal(2_000, (await Read(new OutputStart(0, 2_000))).Split(' ').Length);
    }

    [Fact]
    public async Task Following_tells_progress_between_events_and_ends_with_the_job_also_when_its_home_was_away()
    {
        _looks.Enqueue(View(JobStateName.Running));
        _looks.Enqueue(null);
        _looks.Enqueue(View(JobStateName.Running) with { Progress = Progress.Bounded(0.25, "half of it") });
        _looks.Enqueue(View(JobStateName.Running) with { Progress = Progress.Bounded(0.25, "half of it") });
        _view = View(JobStateName.Running);
        Happens(("accepted", 1));
        var seen = new List<string>();
        await foreach (JobEventView each in Reading().ReadAsync(Job, default, null, follow: true, CancellationToken.None))
        {
            seen.Add($"{each.Number} {each.What} {each.Text}");
            if (each.What == JobEventReading.Progressed)
            {
                Happens(("completed", 1));
                _view = View(JobStateName.Completed);
            }
        }

        Assert.Equal(["1 accepted text", "1 progress 25 % half of it", "2 completed text"], seen);
    }

    [Theory]
    [InlineData(null, true, false)]
    [InlineData("out", true, false)]
    [InlineData("events", false, true)]
    [InlineData("stdout,events", true, true)]
    [InlineData("all", true, true)]
    public void Streams_are_named_with_commas_between(string? text, bool hasOutput, bool hasEvents)
    {
        LogStreams streams = LogStreams.Parse(text);
        Assert.Equal((hasOutput, hasEvents), (streams.HasOutput, streams.HasEvents));
        Assert.Equal(NodeErrors.ControlRequest, Assert.Throws<MeshException>(() => LogStreams.Parse(text + ",both ,x")).Code);
    }

    private void Happens(params (string What, int Attempt)[] events) =>
        _journal.AddRange(events.Select((each, i) => new JobEventView(_journal.Count + i + 1, DateTimeOffset.UnixEpoch, each.What, each.Attempt, "text")).ToArray());

    private JobEventReading Reading() => new(
        (_, _) => !_looks.TryDequeue(out JobView? view) ? Task.FromResult(_view) : view is null ? throw new MeshException(MeshErrors.NoAnswer, "busy") : Task.FromResult(view),
        (_, from, max, _) => Task.FromResult<IReadOnlyList<JobEventView>>([.. _journal.Where(each => each.Number >= from).Take(max)]),
        TimeProvider.System);

    private async Task<string> Read(OutputStart from, int? attempt = null) =>
        string.Join(' ', await Reading().ReadAsync(Job, from, attempt, follow: false, CancellationToken.None).Select(each => each.What).ToListAsync());

    private static JobView View(JobStateName state)
    {
        var spec = new JobSpec(JobCommand.Program("true"), new JobTarget(Home, "", "gpu"), new Caller(Home, "laptop", "ada"), RetryPolicy.Default, JobTimeouts.Default, null, false);
        return new JobView(Job, state, spec, 1, Home, null, null, DateTimeOffset.UnixEpoch, null, null, null, false, null);
    }
}
