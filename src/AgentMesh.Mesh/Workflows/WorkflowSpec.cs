using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Workflows;

/// <summary>On which devices a step runs. Names were looked up when the workflow was accepted; labels are looked at when the step begins.</summary>
/// <param name="Each">A job on each of these: those that were named, and of a group those that are online.</param>
/// <param name="OneOf">Labels: for each of them a job on the least busy device that has it and is online.</param>
public sealed record StepTargets(ArrayTargets Each, ValueList<string> OneOf)
{
    public string Selector => Each.Selector;
}

/// <summary>A step of the same workflow that must be over first.</summary>
public sealed record StepNeed(DependencyCondition Condition, string Step)
{
    public override string ToString() => Condition == DependencyCondition.Ok ? Step : $"{Condition.ToString().ToLowerInvariant()}:{Step}";
}

/// <summary>A file for the program of a step: an artifact of a step that is over when it begins.</summary>
public sealed record StepInput(string Name, string Step, string Artifact);

/// <summary>Everything about a step that its author decides.</summary>
/// <param name="Name">1 to 63 letters, digits, '-' or '_'.</param>
/// <param name="Job">What its jobs have in common; the command has variables in it, the target means nothing.</param>
/// <param name="IsShell">The last word of the program is read by a shell: values stand in it in quotes.</param>
/// <param name="AllowFailure">A failure does not pause the workflow.</param>
public sealed record StepSpec(string Name, JobSpec Job, StepTargets Targets, ValueList<StepNeed> Needs, bool IsShell, bool AllowFailure)
{
    /// <summary>Beside those of the job, which are fixed.</summary>
    public ValueList<StepInput> Inputs { get; init; }

    /// <summary>What people see of the command: without the shell.</summary>
    public string Shown => IsShell ? Job.Command.Words[^1].Trim() : Job.Command.ToString();
}

/// <summary>Everything about a workflow that its caller decides.</summary>
/// <param name="Variables">Name and value.</param>
/// <param name="Parallel">Steps at the same time, 1 to <see cref="StepsMax"/>.</param>
/// <param name="ForkOf">Whose results were taken over; <c>default</c> for none.</param>
public sealed record WorkflowSpec(string Name, ValueList<KeyValuePair<string, string>> Variables, Caller Caller, int Parallel, ValueList<StepSpec> Steps, string? IdempotencyKey, WorkflowId ForkOf)
{
    public const int StepsMax = 200;
    public const int VariablesMax = 200;

    /// <summary>Of the value of a variable, and of a step's result that later steps can name. In UTF-8.</summary>
    public const int ValueBytesMax = 4 * 1024;

    public const int DevicesOfStepMax = 1_000;

    /// <summary>Who is told when it has ended, or stopped at a step that failed; null for nobody.</summary>
    public Notify? Notify { get; init; }
}
