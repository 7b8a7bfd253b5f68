using System.Collections.Concurrent;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Limits;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Spool;
using AgentMesh.Workers.Supervision;
using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.Workers.Tests.Supervision;

/// <summary>The supervisor with a home that is a mailbox of the test.</summary>
public sealed class WorkerSupervisorTests : IAsyncLifetime
{
    private const long Life = 7;

    private static readonly DeviceId Self = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly DeviceId Other = DeviceId.Parse(new string('d', DeviceId.TextLength));
    private static readonly DeviceId Third = DeviceId.Parse(new string('e', DeviceId.TextLength));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-supervisor-").FullName;
    private readonly ActorSystem _system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka.loglevel = WARNING"));
    private readonly Channel<object> _home = Channel.CreateUnbounded<object>();
    private readonly ExecutionTable _table;
    private readonly Notes _audit = new();
    private readonly IActorRef _mailbox;
    private IActorRef _workers;

    public WorkerSupervisorTests()
    {
        HandlerRegistry handlers = BuiltIns.CreateRegistry(new DeviceFacts("test", _directory, TimeProvider.System));
        var tools = new ExecutionTools("test", handlers, ProcessLauncher.ForThisPlatform(), new ProcessLedger(Path.Combine(_directory, "running")), _directory, TimeSpan.FromSeconds(1), TimeProvider.System);
        _table = new ExecutionTable(tools, Path.Combine(_directory, "spool"), 1 << 20, new AdmissionSettings(MachineResources.Found(), 8, 8));
        _mailbox = _system.ActorOf(Props.Create(() => new Mailbox(_home.Writer)));
        _workers = StartSupervisor("workers");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _system.Terminate();
        await _table.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task An_attempt_is_started_once_and_its_end_repeated_until_acknowledged()
    {
        RunAttempt order = Order("a", JobCommand.Handler("calc 1+2"));
        Send(order);
        Send(order);

        AttemptEnded end = await Next<AttemptEnded>();
        Assert.Equal(("3", AttemptOutcome.Succeeded), (end.Result.Text, end.Result.Outcome));
        Assert.Equal(end, await Next<AttemptEnded>());

        Send(new AttemptEndedAck(order.JobId, 1, Recorded: true));
        await Until(() => _table.All.Count == 0);
    }

    [Fact]
    public async Task An_order_that_comes_after_the_end_was_acknowledged_does_not_begin_the_attempt_again()
    {
        RunAttempt order = Order("a", JobCommand.Handler("calc 1+2"));
        Send(order);
        await Next<AttemptEnded>();
        Send(new AttemptEndedAck(order.JobId, 1, Recorded: true));
        await Until(() => _table.All.Count == 0);

        Send(order);
        Assert.Equal(1, (await Next<AttemptUnknown>()).Attempt);
        Assert.Empty(_table.All);
    }

    [Fact]
    public async Task Who_had_what_run_is_told_before_it_runs_and_when_it_is_over()
    {
        string[] told = ["taken calc 1+2", "over Succeeded", "taken true", "over Refused AM0306", "taken round", "over Refused AM0305"];
        RunAttempt[] orders = [Order("a", JobCommand.Handler("add")), Order("b", JobCommand.Handler("danger"), Other), Order("c", JobCommand.Handler("round"))];
        foreach ((int done, RunAttempt order) in orders.Index())
        {
            SendFrom(order.JobId.Home.Device, order);
            await Until(() => _audit.Lines.Count == 2 * (done + 1));
        }

        Assert.Equal(told, _audit.Lines);
    }

    [Fact]
    public async Task The_home_hears_how_far_a_program_is_and_keeps_its_checkpoint()
    {
        RunAttempt order = Order("a", JobCommand.Program("sh", "-c", "cat $AGENTMESH_CHECKPOINT; printf ab > $AGENTMESH_CHECKPOINT; echo 42% half > $AGENTMESH_PROGRESS; sleep 300")) with
        {
            Checkpoint = new Checkpoint([.. "before"u8]),
        };
        Send(order);

        AttemptCheckpoint? left = null;
        for (Progress? told = null; left is null || told is null;)
        {
            object message = await Next<object>();
            left = message as AttemptCheckpoint ?? left;
            told = (message as AttemptHeartbeat)?.Progress ?? told;
            Assert.True(told is null || told == new Progress(0.42, "half"));
        }

        Assert.Equal("ab"u8, left.Data.Data.AsSpan());
        Assert.True(_table.TryGet(new AttemptKey(order.JobId, 1), out Execution run));
        Assert.Equal(6, run.Spool!.Length(SpoolStream.Stdout));
        Assert.NotNull(run.Reports!.Unkept);
        Send(new CheckpointKept(order.JobId, 1, left.Number));
        await Until(() => run.Reports.Unkept is null);
    }

    [Fact]
    public async Task A_checkpoint_left_at_the_end_of_a_failed_attempt_goes_with_the_result()
    {
        RunAttempt order = Order("a", JobCommand.Program("sh", "-c", "printf last > $AGENTMESH_CHECKPOINT; exit 3"));
        Send(order);
        await Until(() => _table.TryGet(new AttemptKey(order.JobId, 1), out Execution run) && run.Ended.IsCompleted);
        _table.All.Single().SettleWithoutOutput();
        AttemptEnded end = await Next<AttemptEnded>();
        Assert.Equal((3, new Checkpoint([.. "last"u8])), (end.Result.ExitCode, end.Result.Checkpoint));
    }

    [Fact]
    public async Task Nothing_runs_that_the_audit_does_not_take()
    {
        _audit.IsFull = true;
        Send(Order("a", JobCommand.Handler("calc 1+2")));

        AttemptEnded end = await Next<AttemptEnded>();
        Assert.Equal((AttemptOutcome.Refused, "AM0430"), (end.Result.Outcome, end.Result.Problem?.Code));
        Assert.Empty(_table.All);
        Assert.Empty(_audit.Lines);
    }

    [Fact]
    public async Task An_order_for_an_earlier_life_of_the_node_is_not_begun()
    {
        Send(Order("a", JobCommand.Handler("calc 1+2")) with { Incarnation = Life - 1 });

        Assert.Equal(Life, (await Next<AttemptUnknown>()).Incarnation);
        Assert.Empty(_table.All);
    }

    [Fact]
    public async Task A_program_needs_a_grant_and_an_alias_does_not_get_around_it()
    {
        SendFrom(Other, Order("a", JobCommand.Program("true"), Other));
        Assert.Equal("AM0306", (await Next<AttemptEnded>()).Result.Problem?.Code);

        SendFrom(Other, Order("b", JobCommand.Handler("danger"), Other));
        Assert.Equal("AM0306", (await Next<AttemptEnded>()).Result.Problem?.Code);

        SendFrom(Other, Order("c", JobCommand.Handler("add"), Other));
        AttemptEnded added = await Next<AttemptEnded>();
        Assert.Equal(("3", "add"), (added.Result.Text, added.Result.Alias));
    }

    /// <summary>There is no supervisor for programs here that could do it.</summary>
    [Theory]
    [InlineData(false, "run", "run", null)]
    [InlineData(false, "dir:/data", "run", "/data")]
    [InlineData(true, "run", "run", null)]
    [InlineData(true, "run", "dir:/data", "/data")]
    [InlineData(true, "dir:/data", "run", "/data")]
    [InlineData(true, "dir:/data", "dir:/data/a", "/data/a")]
    public async Task A_program_is_locked_in_as_all_devices_behind_it_are(bool isInPool, string sender, string caller, string? writable)
    {
        var grants = new Dictionary<DeviceId, string> { [Other] = sender, [Third] = caller };
        _workers = StartSupervisor("confining", confine: device => grants[device] == "run" ? null : Confinement.Of([grants[device]], []));
        HomeId home = isInPool ? HomeId.Pool("lab") : HomeId.Of(Other);
        var order = new RunAttempt(JobId.FromIdempotencyKey(home, TestRun.Key("confining")), 1, Life, JobCommand.Program("true"), new Caller(Third, "laptop", "user"), null, TimeSpan.FromMinutes(1));
        SendFrom(Other, order);
        await Until(() => _table.TryGet(new AttemptKey(order.JobId, 1), out Execution started) && started.Ended.IsCompleted);
        Execution run = _table.All.Single();
        Assert.Equal(writable, run.Order.Confinement is { } confinement ? string.Join(' ', confinement.Writable) : null);
        Assert.Equal(writable is null ? null : "AM0177", (await run.Ended).Problem?.Code);
    }

    [Fact]
    public async Task Only_the_home_of_a_job_orders_its_attempts()
    {
        RunAttempt order = Order("a", JobCommand.Handler("calc 1+2"));
        SendFrom(Other, order);
        _workers.Tell(order, ActorRefs.NoSender);
        Send(Order("b", JobCommand.Handler("calc 1+3")));
        Assert.Equal("4", (await Next<AttemptEnded>()).Result.Text);
        Assert.Single(_table.All);
    }

    [Fact]
    public async Task A_newer_attempt_ends_the_older_one_and_an_older_one_is_not_begun()
    {
        RunAttempt first = Order("a", JobCommand.Program("sleep", "300"));
        Send(first);
        await Next<AttemptStarted>();
        Execution running = Assert.Single(_table.All);

        Send(first with { Attempt = 2, Command = JobCommand.Handler("echo two") });
        AttemptResult ended = await running.Ended.WaitAsync(Patience);
        Assert.Equal(AttemptOutcome.Cancelled, ended.Outcome);
        Assert.Equal(2, (await Next<AttemptEnded>()).Attempt);
        await Until(() => !_table.TryGet(running.Order.Key, out _));

        Send(first with { Attempt = 1 });
        Assert.Equal(1, (await Next<AttemptUnknown>()).Attempt);
    }

    [Fact]
    public async Task A_cancelled_program_ends_and_tells_so()
    {
        RunAttempt order = Order("a", JobCommand.Program("sleep", "300"));
        Send(order);
        await Next<AttemptStarted>();

        Send(new CancelAttempt(order.JobId, 1));

        Assert.Equal(AttemptOutcome.Cancelled, (await Next<AttemptEnded>()).Result.Outcome);
    }

    [Fact]
    public async Task The_end_of_a_program_is_told_only_when_its_home_has_the_output()
    {
        RunAttempt order = Order("a", JobCommand.Program("sh", "-c", "echo out; echo err >&2"));
        Send(order);
        await Next<AttemptStarted>();
        Execution execution = Assert.Single(_table.All);
        await execution.Ended.WaitAsync(Patience);

        execution.Spool!.Acknowledge(SpoolStream.Stdout, 4);
        Send(order);
        Assert.IsType<AttemptStarted>(await _home.Reader.ReadAsync());

        execution.Spool.Acknowledge(SpoolStream.Stderr, 4);
        Assert.Equal(AttemptOutcome.Succeeded, (await Next<AttemptEnded>()).Result.Outcome);
    }

    [Fact]
    public async Task A_cancelled_program_whose_output_the_home_does_not_have_yet_tells_its_end()
    {
        RunAttempt order = Order("a", JobCommand.Program("echo", "out"));
        Send(order);
        await Next<AttemptStarted>();
        await Assert.Single(_table.All).Ended.WaitAsync(Patience);

        Send(new CancelAttempt(order.JobId, 1));
        Assert.Equal(order.JobId, (await Next<AttemptEnded>()).JobId);
    }

    [Fact]
    public async Task A_new_supervisor_finds_the_attempts_of_the_last_one()
    {
        RunAttempt order = Order("a", JobCommand.Program("sleep", "300"));
        Send(order);
        await Next<AttemptStarted>();
        await _workers.GracefulStop(Patience);

        _workers = StartSupervisor("workers-again");
        Send(order);
        await Next<AttemptStarted>();
        Assert.Single(_table.All);
        Assert.Single(_table.All).Cancel();
        Assert.Equal(AttemptOutcome.Cancelled, (await Next<AttemptEnded>()).Result.Outcome);
    }

    [Fact]
    public async Task Who_sends_too_much_is_told_when_to_come_again_and_it_is_written_down()
    {
        var limits = new LimitSettings(null, null, new Dictionary<string, RateLimit>(StringComparer.Ordinal) { ["calc"] = new(1, 1) });
        _workers = StartSupervisor("limited", new RateLimiter(limits, Self, "test", TimeProvider.System));
        SendFrom(Other, Order("a", JobCommand.Handler("calc 1+2"), Other));
        Assert.Equal("3", (await Next<AttemptEnded>()).Result.Text);
        RunAttempt second = Order("b", JobCommand.Handler("add"), Other);
        SendFrom(Other, second);

        AttemptResult refused;
        do
        {
            refused = (await Next<AttemptEnded>()).Result;
        }
        while (refused.Outcome != AttemptOutcome.Refused);
        Assert.Equal(WorkerErrors.TooMany, refused.Problem!.Code);
        Assert.InRange(refused.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.False(_table.TryGet(new AttemptKey(second.JobId, 1), out _));
        Assert.Equal(["taken calc 1+2", "over Succeeded", "taken calc 1+2", "over Refused AM0631"], _audit.Lines);
    }

    private static RunAttempt Order(string key, JobCommand command, DeviceId? caller = null) => new(
        JobId.FromIdempotencyKey(caller ?? Self, TestRun.Key("supervisor " + key)), 1, Life, command, new Caller(Self, "laptop", "user"), null, TimeSpan.FromMinutes(1));

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private IActorRef StartSupervisor(string name, RateLimiter? limiter = null, Func<DeviceId, Confinement?>? confine = null) => _system.ActorOf(
        WorkerSupervisor.Create(new WorkerSettings(
            Self,
            Life,
            _table,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["add"] = "calc 1+2", ["danger"] = "run -- true", ["round"] = "round" },
            (caller, order, _) => order.IsProgram && caller != Self && confine is null ? new MeshException(MeshErrors.NotAllowed, "no", "ask") : null,
            _audit,
            _ => _mailbox)
        {
            Limiter = limiter,
            Confine = (device, _) => confine?.Invoke(device),
            SpeaksFor = (home, device) => home.IsPool || home == device,
        }),
        name);

    private void Send(object message) => _workers.Tell(message, _mailbox);

    private void SendFrom(DeviceId device, object message) => _workers.Tell(message, new ForeignRef((ExtendedActorSystem)_system, device, _home.Writer));

    private async Task<T> Next<T>()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (await _home.Reader.ReadAsync(limit.Token) is T wanted)
            {
                return wanted;
            }
        }
    }

    private sealed class Notes : IAttemptAudit
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public bool IsFull { get; set; }

        public void Taken(AttemptOrder order)
        {
            if (IsFull)
            {
                throw new MeshException("AM0430", "full");
            }

            Lines.Enqueue($"taken {(order.IsProgram ? string.Join(' ', order.Words) : order.Line)}");
        }

        public void Over(AttemptKey attempt, AttemptResult result) => Lines.Enqueue($"over {result.Outcome} {result.Problem?.Code}".TrimEnd());
    }

    /// <summary>An actor of another device.</summary>
    private sealed class ForeignRef(ExtendedActorSystem system, DeviceId device, ChannelWriter<object> to) : MinimalActorRef
    {
        public override ActorPath Path { get; } = new RootActorPath(new Address("akka.mesh", "agentmesh", device.ToString(), 1)) / "user" / "home";

        public override IActorRefProvider Provider => system.Provider;

        protected override void TellInternal(object message, IActorRef sender) => to.TryWrite(message);
    }

    private sealed class Mailbox : ReceiveActor
    {
        public Mailbox(ChannelWriter<object> to) => ReceiveAny(message => to.TryWrite(message));
    }
}
