namespace Simulation.Pipes;

/// <summary>Programs, each of which reads what the one before it writes.</summary>
internal sealed class SimPipe(IReadOnlyList<PipeStage> stages)
{
    public IReadOnlyList<PipeStage> Stages => stages;

    /// <summary>Somebody waits for it, and ends all stages when one is lost.</summary>
    public bool IsWatched { get; set; }

    /// <summary>By the person who began it, or by the watch.</summary>
    public bool IsCancelled { get; private set; }

    public bool IsAtRest => stages.All(stage => stage.Recorded is not null);

    public void Cancel()
    {
        IsCancelled = true;
        foreach (PipeStage stage in stages)
        {
            stage.IsCancelled = true;
        }
    }

    public override string ToString() => string.Join(" | ", stages);
}
