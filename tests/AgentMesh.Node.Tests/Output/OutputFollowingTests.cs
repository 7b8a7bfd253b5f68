using System.Text;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Output;

/// <summary>Readers of a job that the test takes through its states, over a store of its own.</summary>
public sealed class OutputFollowingTests : IDisposable
{
    private static readonly DeviceId Home = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly JobId Job = JobId.FromIdempotencyKey(Home, "a");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-following-").FullName;
    private readonly OutputStore _store;
    private readonly OutputFollowing _following;
    private readonly TaskCompletionSource<JobView> _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile JobView _view = View(JobStateName.Running, 1);
    private volatile int _failures;

    public OutputFollowingTests()
    {
        _store = OutputStore.Open(new OutputStoreSettings { Directory = _directory }, TimeProvider.System);
        _following = new OutputFollowing(Look, new OutputReading(_store, TimeProvider.System), TimeProvider.System);
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task When_an_attempt_is_lost_the_next_one_follows_from_its_beginning()
    {
        await Write(1, "one-");
        using var reader = new Reader(_following, _ending.Task, null, 2);
        await reader.Reads("e-");

        _view = View(JobStateName.Retrying, 1, new AttemptResult(AttemptOutcome.Lost));
        await Write(2, "two");
        _view = View(JobStateName.Running, 2);
        await reader.Reads("e-two");

        End(2, 3);
        await reader.Ends();
        Assert.Equal([1, 2], reader.Attempts);
    }

    [Fact]
    public async Task A_reader_that_is_told_of_attempts_does_not_look_meanwhile()
    {
        int looks = 0;
        using var told = new SemaphoreSlim(0);
        var following = new OutputFollowing(
            (_, _) =>
            {
                Interlocked.Increment(ref looks);
                return Task.FromResult(_view);
            },
            new OutputReading(_store, TimeProvider.System),
            TimeProvider.System,
            (_, _, _, cancel) => told.WaitAsync(cancel));
        await Write(1, "one");
        using var reader = new Reader(following, _ending.Task, null, 0);
        await reader.Reads("one");
        int before = looks;
        await Task.Delay(700);
        Assert.Equal(before, looks);

        _view = View(JobStateName.Retrying, 1, new AttemptResult(AttemptOutcome.Lost));
        told.Release();
        await Write(2, "two");
        _view = View(JobStateName.Running, 2);
        told.Release();
        await reader.Reads("onetwo");
        End(2, 3);
        await reader.Ends();
    }

    [Fact]
    public async Task A_job_whose_first_attempt_has_not_begun_is_waited_for()
    {
        _view = View(JobStateName.Queued, 0);
        using var reader = new Reader(_following, _ending.Task, null, 0);
        await Write(1, "one");
        _view = View(JobStateName.Running, 1);
        await reader.Reads("one");

        End(1, 3);
        await reader.Ends();
    }

    [Fact]
    public async Task A_reader_of_one_attempt_ends_with_it()
    {
        await Write(1, "one");
        using var reader = new Reader(_following, _ending.Task, 1, 0);
        await reader.Reads("one");

        _view = View(JobStateName.Retrying, 1, new AttemptResult(AttemptOutcome.Lost));
        await reader.Ends();
    }

    [Fact]
    public async Task A_home_that_does_not_answer_for_a_moment_does_not_end_the_output()
    {
        _failures = 3;
        await Write(1, "one");
        using var reader = new Reader(_following, _ending.Task, 1, 0);
        await TestWait.UntilAsync(() => Task.FromResult(_failures <= 0), "the questions fail");
        await Write(1, "+", 3);
        await reader.Reads("one+");

        End(1, 4);
        await reader.Ends();
    }

    private static JobView View(JobStateName state, int attempt, AttemptResult? result = null) => new(
        Job,
        state,
        new JobSpec(JobCommand.Program("true"), new JobTarget(Home, "", "home"), new Caller(Home, "home", "user"), RetryPolicy.Default, JobTimeouts.Default, null, false),
        attempt,
        Home,
        result,
        null,
        DateTimeOffset.UnixEpoch,
        null,
        null,
        null,
        false,
        null);

    private void End(int attempt, long stdout)
    {
        _view = View(JobStateName.Completed, attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, null, stdout));
        _ending.SetResult(_view);
    }

    private Task<JobView> Look(JobId job, CancellationToken cancel) =>
        Interlocked.Decrement(ref _failures) >= 0 ? Task.FromException<JobView>(new MeshException(MeshErrors.NoAnswer, "busy", "again")) : Task.FromResult(_view);

    private async Task Write(int attempt, string text, long offset = 0)
    {
        await _store.StartAttemptAsync(Job.ToString(), attempt);
        await _store.AppendAsync(new OutputAddress(Job.ToString(), attempt, OutputStreamKind.Stdout), offset, Encoding.UTF8.GetBytes(text));
    }

    private sealed class Reader : IDisposable
    {
        private readonly CancellationTokenSource _limit = new(Patience);
        private readonly Lock _gate = new();
        private readonly StringBuilder _read = new();
        private readonly List<int> _attempts = [];
        private readonly Task _reading;

        public Reader(OutputFollowing following, Task<JobView> ending, int? only, long from) => _reading = Task.Run(async () =>
        {
            await foreach (OutputPiece piece in following.ReadAsync(Job, ending, OutputStreamKind.Stdout, only, from, _limit.Token))
            {
                lock (_gate)
                {
                    _read.Append(Encoding.UTF8.GetString(piece.Data.Span));
                    _attempts.Add(piece.Attempt);
                }
            }
        });

        public IEnumerable<int> Attempts => _attempts.Distinct();

        public Task Reads(string text) => TestWait.UntilAsync(
            () =>
            {
                lock (_gate)
                {
                    return Task.FromResult(_read.ToString() == text);
                }
            },
            $"'{text}' is read, not '{_read}'");

        public Task Ends() => _reading;

        public void Dispose() => _limit.Dispose();
    }
}
