using AgentMesh.Mesh;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;
using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>The shims of one machine, from one start of it to the next.</summary>
/// <param name="boot">Counts the starts of the machine.</param>
internal sealed class SimShims(SimLoop loop, SimProcess machine, int boot, Func<SimProcess> node, Func<JobId, PipeStage> stageOf) : IShims
{
    private readonly List<SimShim> _all = [];

    public async Task StartAsync(ShimCommand command, string directory, TimeProvider time)
    {
        var launch = LaunchFile.Read(Path.Combine(directory, ShimFiles.Launch));
        var shim = new SimShim(loop, machine, directory, launch, stageOf(JobId.Parse(launch.Environment[StrayProcesses.JobVariable])));
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SimProcess starter = node();
        loop.After(loop.Between(0.001, 0.02), machine, () =>
        {
            _all.Add(shim);
            new ShimRecord("simulated", new ProcessIdentity(_all.Count, boot), default).Write(Path.Combine(directory, ShimFiles.Record));
            shim.Begin();
            loop.After(loop.Between(0.0001, 0.002), starter, ready.SetResult);
        });
        await ready.Task;
    }

    public Task<IShimLink> OpenAsync(string directory, CancellationToken cancellationToken)
    {
        if (_all.Find(shim => shim.IsAlive && shim.Directory == directory) is not { } found)
        {
            return Task.FromException<IShimLink>(new IOException("nobody listens"));
        }

        var link = new SimShimLink(loop, node(), machine, found);
        link.Connect();
        return Task.FromResult<IShimLink>(link);
    }

    public bool IsAlive(ShimRecord record) => Of(record)?.IsAlive == true;

    public void End(ShimRecord record) => Of(record)?.Kill();

    /// <summary>The programs here start no others.</summary>
    public void KillStrays(AttemptKey key)
    {
    }

    /// <summary>The machine goes, and all that runs on it.</summary>
    public void KillAll()
    {
        foreach (SimShim shim in _all)
        {
            shim.Kill();
        }
    }

    private SimShim? Of(ShimRecord record) => record.Shim.Start == boot && record.Shim.Id <= _all.Count ? _all[record.Shim.Id - 1] : null;
}
