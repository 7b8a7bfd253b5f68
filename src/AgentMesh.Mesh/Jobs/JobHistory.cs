using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Jobs;

/// <summary>One event of a job in words.</summary>
/// <param name="Attempt">0 where it is about none.</param>
public sealed record JobHistoryLine(DateTimeOffset At, string What, int Attempt, string Text)
{
    /// <summary>Of what the journal holds; an event of a newer version is named only.</summary>
    /// <param name="writtenAt">When it was written, for one that cannot be read.</param>
    /// <param name="nameOf">The name of a device.</param>
    public static JobHistoryLine Read(string manifest, byte[] payload, DateTimeOffset writtenAt, Func<Protocol.Identity.DeviceId, string> nameOf)
    {
        try
        {
            return MeshContracts.Read(manifest, payload) is IJobEvent change ? Of(change, nameOf) : new JobHistoryLine(writtenAt, manifest, 0, "");
        }
        catch (ContractException unreadable)
        {
            return new JobHistoryLine(writtenAt, manifest, 0, unreadable.Message);
        }
    }

    private static JobHistoryLine Of(IJobEvent change, Func<Protocol.Identity.DeviceId, string> nameOf) => change switch
    {
        AcceptedEvent { Placement: { } placement } e => new(e.At, "accepted", placement.Attempt, $"from {e.Spec.Caller.User}@{e.Spec.Caller.DeviceName}, for {nameOf(placement.Device)}"),
        AcceptedEvent e => new(e.At, "accepted", 0, $"from {e.Spec.Caller.User}@{e.Spec.Caller.DeviceName}, for {e.Spec.Target.Name}"),
        PlacedEvent e => new(e.At, "placed", e.Placement.Attempt, $"on {nameOf(e.Placement.Device)}"),
        ReleasedEvent e => new(e.At, "released", 0, "what it waited for has ended as it must"),
        CheckpointedEvent e => new(e.At, "checkpointed", e.Attempt, $"{e.Data.Data.Length} bytes"),
        RetryingEvent e => new(e.At, "retrying", e.Attempt, $"{Shown(e.Result)}; the next attempt at {e.NextAttemptAt:u}{(e.IsUncounted ? ", not counted" : "")}"),
        PausedEvent e => new(e.At, "paused", e.Attempt, Shown(e.Reason)),
        CompletedEvent e => new(e.At, "completed", e.Attempt, Shown(e.Result)),
        FailedEvent e => new(e.At, "failed", e.Attempt, Shown(e.Reason)),
        CancelRequestedEvent e => new(e.At, "cancel requested", 0, $"by {e.By.User}@{e.By.DeviceName}"),
        CancelledEvent e => new(e.At, "cancelled", e.Attempt, e.Note is { } note ? Shown(note) : ""),
        RetriedEvent e => new(e.At, "retried", 0, $"by {e.By.User}@{e.By.DeviceName}{(e.FromStart ? ", without its checkpoint" : "")}"),
        ToldEvent e => new(e.At, "told", 0, Shown(e.Delivery)),
        _ => new(change.At, change.GetType().Name, 0, ""),
    };

    private static string Shown(Delivery told)
    {
        string how = told.State switch { DeliveryState.Delivered => "delivered", DeliveryState.GivenUp => "given up", _ => "not yet" };
        string status = told.Status is { } code ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $", status {code}") : "";
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{how} in attempt {told.Attempts}{status}") + (told.Problem is { } why ? $"; {Shown(why)}" : "");
    }

    private static string Shown(Problem problem) => $"{problem.Code}: {problem.Text.Split('\n')[0]}";

    private static string Shown(AttemptResult result) => result switch
    {
        { Problem: { } problem } => Shown(problem),
        { Text: { } text } => text.Length <= 60 ? text.ReplaceLineEndings(" ") : text[..60].ReplaceLineEndings(" ") + " ...",
        { ExitCode: { } code } => $"exit code {code}",
        _ => result.Outcome.ToString().ToLowerInvariant(),
    };
}
