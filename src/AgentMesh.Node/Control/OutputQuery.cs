namespace AgentMesh.Node.Control;

/// <summary>GET /v1/job/output.</summary>
/// <param name="Stream">stdout, stderr, both, events or all, several with commas between; both when it is null.</param>
/// <param name="Attempt">Null for the newest, and when following for those after it.</param>
/// <param name="From">A byte offset; with events alone, the number of one.</param>
/// <param name="Tail">Instead of <paramref name="From"/>: so many lines before the end, of each stream.</param>
/// <param name="At">The device that is asked, a selector; null for the home that a whole id names, else this device.</param>
internal sealed record OutputQuery(string Id, string? Stream = null, int? Attempt = null, long From = 0, bool Follow = false, int? Tail = null, string? At = null)
{
    /// <summary>The number of the first event, where there is output beside them.</summary>
    public long FromEvent { get; init; }
}
