using AgentMesh.Errors;
using AgentMesh.Node.Links;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Hosting;

/// <summary>
/// Sees to it that there is always a generation that is a member of the right cluster: the first at start, another when this device was taken
/// out, and another when a link shows a cluster that this one should join.
/// </summary>
internal sealed class GenerationKeeper : IAsyncDisposable
{
    private static readonly TimeSpan StartGrace = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan SteadyFor = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly LinkService _links;
    private readonly DeviceDirectory _directory;
    private readonly Func<ActorSystem> _create;
    private readonly Action<Generation> _equip;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MergeWatch _merge;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource<Generation> _current = NewSignal();
    private Generation? _live;
    private Task _running = Task.CompletedTask;
    private int _number;

    /// <param name="create">Makes a fresh actor system.</param>
    /// <param name="equip">Starts what runs inside it, once it is a member.</param>
    public GenerationKeeper(LinkService links, DeviceDirectory directory, Func<ActorSystem> create, Action<Generation> equip, TimeProvider time, ILogger log)
    {
        _links = links;
        _directory = directory;
        _create = create;
        _equip = equip;
        _time = time;
        _log = log;
        _merge = new MergeWatch(SteadyFor, time);
    }

    /// <summary>The present generation, or null while it is being replaced.</summary>
    public Generation? Live
    {
        get
        {
            lock (_gate)
            {
                return _live;
            }
        }
    }

    public int Number => _number;

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>The present generation, waiting for it while it is being replaced.</summary>
    /// <exception cref="MeshException">AM0209: there is none within <paramref name="within"/>.</exception>
    public async Task<Generation> CurrentAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        Task<Generation> current;
        lock (_gate)
        {
            current = _current.Task;
        }

        try
        {
            return await current.WaitAsync(within, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new MeshException(NodeErrors.NodeStarting, "the node is still starting, or starting over to join other devices", "try again in a moment; 'agentmesh status' shows the members");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private static TaskCompletionSource<Generation> NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        IReadOnlyList<DeviceId> join = await FirstClusterAsync().ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                join = await LiveOnceAsync(join).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (TimeoutException)
            {
                Log.CouldNotJoin(_log, string.Join(", ", join));
                join = [];
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // Whatever it was: a node without a generation would only seem to be up.
                Log.GenerationFailed(_log, _number, error);
                join = [];
                await Task.Delay(AfterFailure, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>Whom the next generation should join.</returns>
    private async Task<IReadOnlyList<DeviceId>> LiveOnceAsync(IReadOnlyList<DeviceId> join)
    {
        Generation generation = await Generation.StartAsync(++_number, _create(), join, JoinWithin, Tell, _time, _stop.Token).ConfigureAwait(false);
        await using (generation.ConfigureAwait(false))
        {
            _equip(generation);
            lock (_gate)
            {
                _live = generation;
                _current.TrySetResult(generation);
            }

            Tell();
            Log.Joined(_log, generation.Number, string.Join(", ", generation.Members.Select(member => member.Device)));
            (string reason, IReadOnlyList<DeviceId> next) = await UntilOverAsync(generation).ConfigureAwait(false);
            Log.StartsOver(_log, generation.Number, reason);
            lock (_gate)
            {
                _live = null;
                _current = NewSignal();
            }

            _links.OwnView = null;
            _merge.Reset();
            return next;
        }
    }

    private async Task<(string Reason, IReadOnlyList<DeviceId> Next)> UntilOverAsync(Generation generation)
    {
        while (true)
        {
            Task tick = Task.Delay(LookEvery, _time, _stop.Token);
            if (await Task.WhenAny(generation.Over, tick).ConfigureAwait(false) == generation.Over)
            {
                return (await generation.Over.ConfigureAwait(false), BestOther());
            }

            _stop.Token.ThrowIfCancellationRequested();
            IReadOnlyList<DeviceId> next = _merge.Decide(generation.View, _links.Views);
            if (next.Count > 0)
            {
                return ($"another cluster stays: {string.Join(", ", next)}", Linked(next));
            }
        }
    }

    /// <summary>At start: the cluster of a device that is linked soon; without one this device begins its own.</summary>
    private async Task<IReadOnlyList<DeviceId>> FirstClusterAsync()
    {
        long began = _time.GetTimestamp();
        while (_directory.Admitted.Count > 0 && _time.GetElapsedTime(began) < StartGrace && !_stop.IsCancellationRequested)
        {
            if (BestOther() is { Count: > 0 } found)
            {
                return found;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, CancellationToken.None).ConfigureAwait(false);
        }

        return [];
    }

    /// <summary>The largest cluster that links tell of; between equals the one with the smallest device.</summary>
    private IReadOnlyList<DeviceId> BestOther()
    {
        ClusterView? best = _links.Views.Where(view => view.HasJoined).OrderByDescending(view => view.Members.Count).ThenBy(view => view.Members.Min(member => member.Device)).FirstOrDefault();
        return best is null ? [] : Linked([.. best.Members.Select(member => member.Device)]);
    }

    // Only a linked device can answer now.
    private IReadOnlyList<DeviceId> Linked(IReadOnlyList<DeviceId> devices) => [.. devices.Where(_links.IsLinked)];

    private void Tell() => _links.OwnView = Live?.View;
}
