using AgentMesh.Mesh;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Input;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Processes;

namespace AgentMesh.Node.Tests.Input;

public sealed class InputFeederTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-feeder-").FullName;
    private readonly MemoryMesh _mesh = new();
    private readonly ConnectionHub _home;
    private readonly ConnectionHub _device;
    private readonly ExecutionTable _nothing;

    public InputFeederTests()
    {
        _home = new ConnectionHub(_mesh.Start("home"), _mesh, TimeProvider.System);
        _device = new ConnectionHub(_mesh.Start("device"), _mesh, TimeProvider.System);
        _nothing = new ExecutionTable(
            new ExecutionTools("test", new HandlerRegistry(), ProcessLauncher.ForThisPlatform(), new ProcessLedger(Path.Combine(_directory, "running")), _directory, TimeSpan.FromSeconds(1), TimeProvider.System),
            Path.Combine(_directory, "spool"),
            1 << 20,
            new AdmissionSettings(ResourceAmounts.None, 1, 1));
    }

    public Task InitializeAsync()
    {
        _device.Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _home.DisposeAsync();
        await _device.DisposeAsync();
        await _nothing.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A writer on the home of the job that reads: the reader's device knows nothing of the attempt any more, and says so for ever.</summary>
    [Fact]
    public async Task A_sender_on_the_home_learns_there_that_the_attempt_is_over()
    {
        var there = new InputIntake(_nothing, NotHere, (_, _) => throw new InvalidOperationException());
        using IDisposable serving = _device.Register(InputIntake.Service, (connection, stream, cancel) => there.ServeAsync(connection.RemoteId, stream, cancel));
        var asked = new List<(int Attempt, bool IsSelf)>();
        var here = new InputIntake(
            _nothing,
            (_, attempt, from, _) =>
            {
                asked.Add((attempt, from == _home.LocalId));
                return Task.FromResult<(DeviceId?, InputRefusal)>((null, InputRefusal.Over));
            },
            (_, _) => throw new InvalidOperationException());
        var feeder = new InputFeeder(_home.LocalId, _home, here, TimeProvider.System);
        var input = new TypedInput();
        var key = new AttemptKey(JobId.FromIdempotencyKey(_home.LocalId, "reader"), 3);

        await feeder.FeedAsync(input, key, _device.LocalId, byHome: true, StreamPriority.Bulk, CancellationToken.None).WaitAsync(Patience);

        Assert.True(input.Closed.IsCompleted);
        Assert.Equal([(3, true)], asked);
    }

    private static Task<(DeviceId? To, InputRefusal Why)> NotHere(JobId job, int attempt, DeviceId from, CancellationToken cancel) =>
        Task.FromResult<(DeviceId?, InputRefusal)>((null, InputRefusal.NotHere));
}
