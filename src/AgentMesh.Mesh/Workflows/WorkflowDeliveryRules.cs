using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Workflows;

/// <summary>A workflow at rest, of which somebody is told: it has ended, or stopped at a step that failed.</summary>
/// <param name="State">Completed, Cancelled, or Paused for one that stopped.</param>
public sealed record WorkflowRest(JobStateName State, DateTimeOffset At, Delivery Delivery);

/// <summary>
/// Whether the rest of a workflow is told to the URL that its caller named, and when. A step that failed for good stops the workflow until a person says how it goes on, so that is told as an end is, once nothing of it
/// runs; that a person paused it is not. Pure; that a rest is due is in the name of the event that leads to it, as of a job (<see cref="JobDeliveryRules"/>).
/// </summary>
public static class WorkflowDeliveryRules
{
    /// <summary>Steps that failed and are named; of more there are the counts.</summary>
    public const int NamedMax = 20;

    /// <summary>The event as it is journalled: marked, where it brings the workflow to a rest that its caller wants told.</summary>
    /// <param name="number">Of the event in the journal, from 1.</param>
    public static IWorkflowEvent Marked(WorkflowState workflow, IWorkflowEvent change, long number)
    {
        if (workflow.Spec?.Notify is not { } notify || change is not (WorkflowEndedEvent or StepJobsEndedEvent or StepNotBegunEvent) || EndOf(workflow.Apply(change)) is not { } end || !notify.Wants(end))
        {
            return change;
        }

        return change switch
        {
            WorkflowEndedEvent e => e with { DueAs = number },
            StepJobsEndedEvent e => e with { DueAs = number },
            StepNotBegunEvent e => e with { DueAs = number },
            _ => change,
        };
    }

    /// <summary>How it came to rest; null while it goes on, also where only a person keeps it from that.</summary>
    public static JobStateName? EndOf(WorkflowState workflow) => workflow switch
    {
        { EndedAt: not null, CancelledBy: null } => JobStateName.Completed,
        { EndedAt: not null } => JobStateName.Cancelled,
        { CancelledBy: null } when workflow.Steps.Any(step => step.Blocks) && !workflow.Running.Any() => JobStateName.Paused,
        _ => null,
    };

    public static string IdOf(WorkflowId workflow, WorkflowRest rest) => DeliveryRules.IdOf(workflow.ToString(), rest.Delivery, () => throw new InvariantException("a rest without a number"));

    /// <summary>What is sent now; null for nothing. It is the same until a person does something with the workflow: steps that can never begin any more may still be left out, so it says nothing of those that did not run.</summary>
    public static Parcel? Ready(WorkflowState workflow, DateTimeOffset now)
    {
        if (UntilNext(workflow, now) != TimeSpan.Zero || workflow is not { Spec: { Notify: { } notify } spec, Rest: { } rest })
        {
            return null;
        }

        StepState[] failed = [.. workflow.Steps.Where(step => step.Name == StepStateName.Failed)];
        var told = new ToldWorkflow(
            workflow.WorkflowId, spec.Name, workflow.Steps.Count, workflow.Steps.Count(step => step.Name == StepStateName.Completed), failed.Length, [.. failed.Take(NamedMax).Select(Told)]);
        var report = new EndReport(0, null, "", null, workflow.AcceptedAt, rest.At, WorkflowRules.Reason(workflow), 0, 0, "");
        return new Parcel(IdOf(workflow.WorkflowId, rest), notify.Url, default, rest.State, report, rest.Delivery.Attempts + 1) { Workflow = told, Key = spec.IdempotencyKey };
    }

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    public static TimeSpan? UntilNext(WorkflowState workflow, DateTimeOffset now) => DeliveryRules.UntilNextOf(workflow.Rest?.Delivery, now);

    /// <summary>An attempt ended; null where that changes nothing any more, as for a rest before the present one.</summary>
    public static WorkflowToldEvent? Ended(WorkflowState workflow, string deliveryId, DeliveryAnswer answer, DateTimeOffset now) =>
        workflow.Rest is { } rest && DeliveryRules.After(rest.Delivery, IdOf(workflow.WorkflowId, rest), deliveryId, answer, now) is { } after ? new WorkflowToldEvent(now, workflow.EndedAt is not null, after) : null;

    private static ToldStep Told(StepState step)
    {
        StepRun? bad = step.Runs.FirstOrDefault(run => run.End is { State: not JobStateName.Completed });
        return new ToldStep(step.Spec.Name, step.Spec.AllowFailure, bad?.JobId ?? default, bad?.DeviceName, bad?.End?.ExitCode, step.Problem);
    }
}
