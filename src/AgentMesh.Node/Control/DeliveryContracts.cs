namespace AgentMesh.Node.Control;

/// <summary>Whether the end of a job, of an array, of a workflow, or of a run of a schedule, was told.</summary>
/// <param name="Id">As the receiver gets it; the same for each attempt.</param>
/// <param name="Job">The short id of the job, the array or the workflow.</param>
/// <param name="State">due, delivered or given-up.</param>
/// <param name="Attempts">That ended.</param>
/// <param name="At">When the newest of them ended.</param>
/// <param name="Status">Of the newest answer; null where there was none.</param>
/// <param name="NextAt">Not before; null when it is not due.</param>
/// <param name="Problem">Why the newest attempt did not deliver it.</param>
public sealed record DeliveryView(string Id, string Job, string State, int Attempts, DateTimeOffset? At, int? Status, DateTimeOffset? NextAt, ProblemView? Problem);
