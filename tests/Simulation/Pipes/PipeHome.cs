using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Input;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;
using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>
/// The home of the jobs that are the stages of pipes, on the first device, and the command that watches them: a model of what job entities, <c>WorkerSupervisor</c>, the way of output and <c>PipeService</c>
/// do between them. What is recorded is never lost; a watch dies with the node of the home, and the stages go on by themselves.
/// </summary>
/// <param name="isOpen">Whether the first hears the second.</param>
internal sealed class PipeHome(SimLoop loop, Func<PipeDevice> device, Func<PipeDevice, PipeDevice, bool> isOpen)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.2);

    private readonly Dictionary<JobId, PipeStage> _stages = [];
    private readonly Dictionary<PipeStage, TimeSpan> _awaySince = [];
    private readonly HashSet<PipeStage> _fetching = [];
    private readonly List<SimPipe> _pipes = [];

    public IReadOnlyList<SimPipe> Pipes => _pipes;

    /// <summary>Streams between two other devices.</summary>
    public int PassedOn { get; private set; }

    public PipeStage this[JobId job] => _stages[job];

    public void Add(SimPipe pipe)
    {
        _pipes.Add(pipe);
        foreach (PipeStage stage in pipe.Stages)
        {
            _stages.Add(stage.Key.Job, stage);
        }
    }

    public void LookAgainAndAgain() => loop.After(LookEvery, null, () =>
    {
        if (device().IsRunning)
        {
            foreach (SimPipe pipe in _pipes)
            {
                Look(pipe);
            }
        }

        LookAgainAndAgain();
    });

    /// <summary>The node of the home is gone, and with it whoever watched.</summary>
    public void ForgetWatches()
    {
        foreach (SimPipe pipe in _pipes)
        {
            pipe.IsWatched = false;
        }
    }

    /// <summary>As <c>EntityHost.RouteInputAsync</c> answers.</summary>
    public (DeviceId? To, InputRefusal Why) Route(DeviceId self, JobId job, int attempt, DeviceId from)
    {
        if (job.Home.Device != self || !_stages.TryGetValue(job, out PipeStage? stage))
        {
            return (null, InputRefusal.NotHere);
        }

        if (stage.Before?.Device.Id != from)
        {
            return (null, InputRefusal.NotYours);
        }

        if (stage.Recorded is not null || attempt != 1)
        {
            return (null, InputRefusal.Over);
        }

        if (!stage.IsOrdered || stage.Device.Id == self || from == self)
        {
            return (null, InputRefusal.NotHere);
        }

        PassedOn++;
        return (stage.Device.Id, default);
    }

    private void Look(SimPipe pipe)
    {
        // The last one first: who reads is there before somebody writes.
        foreach (PipeStage stage in pipe.Stages.Reverse())
        {
            if (Reaches(stage.Device) && stage.Device.Table is { } table)
            {
                _awaySince.Remove(stage);
                Look(stage, table);
            }
            else
            {
                _awaySince.TryAdd(stage, loop.Now);
            }
        }

        bool isBroken = pipe.Stages.Any(stage => stage.Recorded is null ? loop.Now - _awaySince.GetValueOrDefault(stage, loop.Now) >= PipeDevice.InputGrace : !stage.IsRecordedAsItsOwn);
        if (pipe.IsWatched && isBroken)
        {
            pipe.Cancel();
        }
    }

    private void Look(PipeStage stage, ExecutionTable table)
    {
        if (table.TryGet(stage.Key, out Execution execution))
        {
            Follow(stage, execution);
            if (stage.Recorded is not null)
            {
                table.AcknowledgeEnd(stage.Key);
            }
        }
        else if (stage.Recorded is null && stage.IsOrdered)
        {
            stage.CheckRecorded(new AttemptResult(AttemptOutcome.Lost));
        }
        else if (stage.Recorded is null && stage.IsCancelled)
        {
            stage.CheckRecorded(new AttemptResult(AttemptOutcome.Cancelled));
        }
        else if (stage.Recorded is null)
        {
            stage.IsOrdered = true;
            try
            {
                table.StartOrGet(stage.Order);
            }
            catch (MeshException refused)
            {
                loop.Require(false, () => $"{stage} is refused: {refused.Message}");
            }
        }
    }

    private void Follow(PipeStage stage, Execution execution)
    {
        if (stage.IsCancelled && !execution.Ended.IsCompleted)
        {
            execution.Cancel();
        }

        if (execution.Spool is { } spool && stage.After is null && _fetching.Add(stage))
        {
            _ = FetchAsync(stage, spool);
        }

        if (stage.Recorded is null && execution.Settled.IsCompleted)
        {
            stage.CheckRecorded(execution.Ended.Result);
        }
    }

    /// <summary>The output of the last one comes to the home.</summary>
    private async Task FetchAsync(PipeStage stage, AttemptSpool spool)
    {
        try
        {
            byte[] buffer = new byte[64 * 1024];
            int read;
            while ((read = await spool.ReadAsync(SpoolStream.Stdout, stage.Fetched, buffer, CancellationToken.None)) > 0)
            {
                stage.Fetches(buffer.AsSpan(0, read));
            }

            spool.Acknowledge(SpoolStream.Stdout, stage.Fetched);
        }
        catch (ObjectDisposedException)
        {
            // The node there has gone meanwhile.
        }
        finally
        {
            _fetching.Remove(stage);
        }
    }

    private bool Reaches(PipeDevice other) => other.IsRunning && (other == device() || (isOpen(device(), other) && isOpen(other, device())));
}
