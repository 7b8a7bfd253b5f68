using AgentMesh.Mesh.Webhooks;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Services;

/// <summary>Whether somebody was told, as the control API shows it.</summary>
internal static class DeliveryViews
{
    /// <returns>any, failure or success; null where nobody is told.</returns>
    public static string? OnOf(Notify? notify) => notify?.On.ToString().ToLowerInvariant();

    /// <param name="id">As the receiver gets it.</param>
    /// <param name="shortId">Of the job, the array or the workflow.</param>
    public static DeliveryView Of(string id, string shortId, Delivery delivery) => new(
        id,
        shortId,
        delivery.State == DeliveryState.GivenUp ? "given-up" : delivery.State.ToString().ToLowerInvariant(),
        delivery.Attempts,
        delivery.At,
        delivery.Status,
        delivery.IsDue ? delivery.NextAt : null,
        delivery.Problem is { } problem ? new ProblemView(problem.Code, problem.Text, problem.NextStep) : null);
}
