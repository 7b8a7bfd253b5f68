using System.Collections.Concurrent;
using AgentMesh.Node.Control;
using Soak.Planning;

namespace Soak.Running;

/// <summary>What became of an undertaking, as the one who asked for it saw it.</summary>
internal sealed class UndertakingRun(Undertaking item)
{
    private string? _id;

    public Undertaking Item => item;

    public TimeSpan BeganAt { get; set; }

    /// <summary>When there was nothing more to wait for.</summary>
    public TimeSpan EndedAt { get; set; }

    /// <summary>What was answered to it and to its repeats; each is to name the same id.</summary>
    public ConcurrentQueue<string> Ids { get; } = [];

    public string? Id => _id;

    /// <summary>Refusals before it was taken, and what ended a pipe.</summary>
    public ConcurrentQueue<ProblemView> Problems { get; } = [];

    /// <summary>How often its home went away or did not answer.</summary>
    public int Lost { get; set; }

    /// <summary>Stages of a pipe by number, as they were accepted and as they ended.</summary>
    public SortedDictionary<int, JobView> Accepted { get; } = [];

    public SortedDictionary<int, JobView> Ended { get; } = [];

    /// <summary>What came out of a pipe.</summary>
    public OutputTape? Tape { get; } = item is PipeUndertaking pipe ? new OutputTape(pipe.Lines, 0) : null;

    /// <summary>No answer long after the timeout.</summary>
    public bool IsHung { get; set; }

    public void Took(string id)
    {
        _id ??= id;
        Ids.Enqueue(id);
    }
}
