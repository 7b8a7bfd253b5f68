using System.Collections.Immutable;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.Node.Hosting;

/// <summary>
/// One actor system of the node, from joining a cluster to leaving it. What it needs beyond its life (endpoint, databases, running programs) belongs
/// to the node. See docs/adr/0006.
/// </summary>
internal sealed class Generation : IAsyncDisposable
{
    // 5 s in ten parts: when the process was stopped for longer than all of them, the actors have been too, and get the rest.
    private static readonly TimeSpan TerminatePart = TimeSpan.FromMilliseconds(500);
    private const int TerminateParts = 10;

    private readonly TaskCompletionSource<string> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TimeProvider _time;

    private Generation(int number, ActorSystem system, TimeProvider time)
    {
        _time = time;
        Number = number;
        System = system;
    }

    public int Number { get; }

    public ActorSystem System { get; }

    public ClusterView? View { get; private set; }

    public ImmutableList<MemberState> Members { get; private set; } = [];

    /// <summary>Completes with the reason when this generation has to be replaced.</summary>
    public Task<string> Over => _over.Task;

    /// <summary>Starts the actor system and joins; completes when this member is up.</summary>
    /// <param name="join">Devices of the cluster to join; empty to begin one of its own.</param>
    /// <exception cref="TimeoutException">Not up within <paramref name="within"/>; the caller disposes it and tries differently.</exception>
    public static async Task<Generation> StartAsync(
        int number, ActorSystem system, IReadOnlyList<DeviceId> join, TimeSpan within, Action changed, TimeProvider time, CancellationToken cancellationToken)
    {
        var generation = new Generation(number, system, time);
        Cluster cluster = Cluster.Get(system);
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.RegisterOnMemberUp(() => up.TrySetResult());
        cluster.RegisterOnMemberRemoved(() => generation.End("this device was taken out of the cluster"));
        system.ActorOf(
            ClusterWatcher.Create(
                (view, members) =>
                {
                    generation.View = view;
                    generation.Members = members;
                    changed();
                },
                generation.End),
            "cluster-watcher");
        if (join.Count == 0)
        {
            cluster.Join(cluster.SelfAddress);
        }
        else
        {
            cluster.JoinSeedNodes([.. join.Select(device => cluster.SelfAddress.WithHost(device.ToString()))]);
        }

        try
        {
            await up.Task.WaitAsync(within, time, cancellationToken).ConfigureAwait(false);
            return generation;
        }
        catch
        {
            await generation.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void End(string reason) => _over.TrySetResult(reason);

    public async ValueTask DisposeAsync()
    {
        _over.TrySetResult("the node replaces it");
        Task ended = System.Terminate();
        for (int part = 0; part < TerminateParts && !ended.IsCompleted; part++)
        {
            await ended.WaitAsync(TerminatePart, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // Otherwise its actors hold nothing that the next generation needs exclusively; it goes on ending behind.
    }
}
