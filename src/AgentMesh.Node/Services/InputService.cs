using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using AgentMesh.Node.Input;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>Sends what people type to the programs of their jobs.</summary>
internal sealed class InputService(JobService jobs, InputFeeder feeder, TimeProvider time)
{
    /// <summary>A client that was killed is noticed by then.</summary>
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(1);

    private JobService Jobs => jobs;

    private InputFeeder Feeder => feeder;

    private readonly ConcurrentDictionary<Mesh.JobId, Session> _held = new();

    /// <exception cref="MeshException">AM0307, AM0622: it takes no input. AM0623: it has ended. AM0227: somebody else sends it.</exception>
    public async Task<IInputSession> OpenAsync(string id, CancellationToken cancellationToken)
    {
        Mesh.JobId job = await jobs.FindAsync(id, cancellationToken).ConfigureAwait(false);
        MeshJobView view = await jobs.GetAsync(job, cancellationToken).ConfigureAwait(false);
        if (view.Spec.Command.Input is not { From: null } input)
        {
            throw new MeshException(NodeErrors.InputRefused, $"job {job.Short} takes no input", "start it with: agentmesh run -i");
        }

        if (view.State.IsAtRest() || view.Device is not { } device)
        {
            throw new MeshException(NodeErrors.InputOver, $"job {job.Short} does not run", $"'agentmesh job show {job.Short}' tells how it ended");
        }

        var session = new Session(this, new AttemptKey(job, view.Attempt));
        if (!_held.TryAdd(job, session) && !(await HasLeftAsync(job).ConfigureAwait(false) && _held.TryAdd(job, session)))
        {
            throw new MeshException(NodeErrors.InputHeld, $"somebody else sends the input of job {job.Short}", $"detach there with ctrl-p ctrl-q, or look on with: agentmesh attach --no-stdin {job.Short}");
        }

        session.Begin(device, input.Terminal is null ? StreamPriority.Bulk : StreamPriority.Ordinary);
        return session;
    }

    private async Task<bool> HasLeftAsync(Mesh.JobId job)
    {
        try
        {
            await (_held.TryGetValue(job, out Session? other) ? other.Gone : Task.CompletedTask).WaitAsync(LeaveWithin, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private sealed class Session(InputService service, AttemptKey to) : IInputSession
    {
        private readonly TypedInput _typed = new();
        private readonly CancellationTokenSource _over = new();
        private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task _ending = Task.CompletedTask;

        public Task Gone => _gone.Task;

        public Task Closed { get; private set; } = Task.CompletedTask;

        public void Begin(DeviceId device, StreamPriority priority)
        {
            _ending = EndWithAsync();
            Closed = FeedAsync(device, priority);
        }

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => _typed.WriteAsync(data, cancellationToken);

        public void End() => _typed.End();

        public void Resize(int columns, int rows) => _typed.Resize(columns, rows);

        public async Task LeaveAsync(CancellationToken cancellationToken) => await Task.WhenAny(_typed.LeaveAsync(), _ending).WaitAsync(cancellationToken).ConfigureAwait(false);

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync().ConfigureAwait(false);
            await Closed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _over.Dispose();
            service._held.TryRemove(KeyValuePair.Create(to.Job, this));
            _gone.SetResult();
        }

        private async Task FeedAsync(DeviceId device, StreamPriority priority)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
            Task feeding = service.Feeder.FeedAsync(_typed, to, device, byHome: false, priority, either.Token);
            if (await Task.WhenAny(feeding, _ending).ConfigureAwait(false) == feeding)
            {
                await feeding.ConfigureAwait(false);
                if (_typed.IsLeaving)
                {
                    // The client is told that, and not that the program takes no more.
                    await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                return;
            }

            await either.CancelAsync().ConfigureAwait(false);
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _typed.Close();
        }

        private async Task EndWithAsync() => await service.Jobs.AwaitAsync(to.Job, _over.Token).ConfigureAwait(false);
    }
}
