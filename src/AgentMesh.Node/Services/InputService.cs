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
internal sealed class InputService(JobService jobs, InputFeeder feeder)
{
    /// <exception cref="MeshException">AM0307, AM0622: it takes no input. AM0623: it has ended.</exception>
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

        return new Session(jobs, feeder, new AttemptKey(job, view.Attempt), device, input.Terminal is null ? StreamPriority.Bulk : StreamPriority.Ordinary);
    }

    private sealed class Session : IInputSession
    {
        private readonly TypedInput _typed = new();
        private readonly CancellationTokenSource _over = new();
        private readonly Task _ending;

        public Session(JobService jobs, InputFeeder feeder, AttemptKey to, DeviceId device, StreamPriority priority)
        {
            _ending = EndWithAsync(jobs, to);
            Closed = FeedAsync(feeder, to, device, priority);
        }

        public Task Closed { get; }

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => _typed.WriteAsync(data, cancellationToken);

        public void End() => _typed.End();

        public void Resize(int columns, int rows) => _typed.Resize(columns, rows);

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync().ConfigureAwait(false);
            await Closed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _over.Dispose();
        }

        private async Task FeedAsync(InputFeeder feeder, AttemptKey to, DeviceId device, StreamPriority priority)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
            Task feeding = feeder.FeedAsync(_typed, to, device, byHome: false, priority, either.Token);
            if (await Task.WhenAny(feeding, _ending).ConfigureAwait(false) == feeding)
            {
                await feeding.ConfigureAwait(false);
                return;
            }

            await either.CancelAsync().ConfigureAwait(false);
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _typed.Close();
        }

        private async Task EndWithAsync(JobService jobs, AttemptKey to) => await jobs.AwaitAsync(to.Job, _over.Token).ConfigureAwait(false);
    }
}
