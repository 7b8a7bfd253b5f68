namespace AgentMesh.Node.Control;

/// <summary>GET /v1/job/output.</summary>
/// <param name="Stream">stdout, stderr or both; both when it is null.</param>
/// <param name="Attempt">Null for the newest, and when following for those after it.</param>
/// <param name="From">A byte offset.</param>
/// <param name="Tail">Instead of <paramref name="From"/>: so many lines before the end, of each stream.</param>
/// <param name="At">The device that is asked, a selector; null for the home that a whole id names, else this device.</param>
internal sealed record OutputQuery(string Id, string? Stream = null, int? Attempt = null, long From = 0, bool Follow = false, int? Tail = null, string? At = null);
