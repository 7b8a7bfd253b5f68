using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Workflows.File;

/// <summary>What holds between the steps of a workflow: needs name steps and make no circle, and a value is there when it is asked for.</summary>
/// <param name="variables">Their names.</param>
internal sealed class StepChecks(string file, IReadOnlyCollection<string> variables, IReadOnlyList<(StepSpec Spec, YamlMap? Map)> steps)
{
    /// <exception cref="MeshException">AM0372 to AM0375.</exception>
    public void Check()
    {
        foreach ((StepSpec spec, YamlMap? map) in steps)
        {
            for (int index = 0; index < spec.Needs.Count; index++)
            {
                CheckNeed(spec, spec.Needs[index], PlaceOf(map, "needs", index));
            }
        }

        foreach ((StepSpec spec, YamlMap? map) in steps)
        {
            if (CircleFrom(spec.Name) is { } circle)
            {
                throw Wrong(
                    PlaceOf(map, "needs"), $"these steps wait for each other: {string.Join(" -> ", circle)}", "leave one of these needs out: a step begins when what it needs is over", MeshErrors.WorkflowCycle);
            }
        }

        foreach ((StepSpec spec, YamlMap? map) in steps)
        {
            CheckReferences(spec, map);
        }
    }

    private void CheckNeed(StepSpec spec, StepNeed need, Place? at)
    {
        if (Find(need.Step) is not { } needed)
        {
            string near = Nearest.Of(need.Step, Names) is { } meant ? $"did you mean '{meant}'? " : "";
            throw Wrong(at, $"step '{spec.Name}' needs '{need.Step}', and there is no such step", $"{near}steps are: {string.Join(", ", Names.Take(50))}", MeshErrors.UnknownStep);
        }

        if (need.Condition == DependencyCondition.Fail && !needed.AllowFailure)
        {
            throw Wrong(
                at, $"step '{spec.Name}' begins when '{need.Step}' fails, but then the workflow is paused", $"write allow-failure: true at '{need.Step}'", MeshErrors.BadNeed);
        }
    }

    /// <exception cref="MeshException">AM0375.</exception>
    public void CheckReferences(StepSpec spec, YamlMap? map)
    {
        HashSet<string>? before = null;
        foreach (StepInput input in spec.Inputs)
        {
            CheckInput(spec, input, PlaceOf(map, "inputs"));
            before ??= Before(spec.Name);
            if (!before.Contains(input.Step))
            {
                throw Wrong(PlaceOf(map, "inputs"), $"step '{spec.Name}' takes a file from '{input.Step}', which need not be over when it begins", $"add needs: [{input.Step}] to '{spec.Name}'", MeshErrors.UnknownVariable);
            }
        }

        foreach (StepText.Reference reference in StepText.Of(spec.Job.Command).SelectMany(StepText.In))
        {
            string text = $"{{{{{string.Join('.', reference.Names)}}}}}";
            Place? at = PlaceOf(map, spec.Job.Command.IsProgram ? "run" : "command");
            (string Name, IReadOnlyCollection<string> Known) asked = (reference.Names[0], reference.Names.Length) switch
            {
                (StepText.Variables, 2) => (reference.Names[1], variables),
                (StepText.Workflow, 2) => (reference.Names[1], StepText.WorkflowFields),
                (StepText.Steps, 3) when Find(reference.Names[1]) is null => (reference.Names[1], Names),
                (StepText.Steps, 3) => (reference.Names[2], StepText.StepFields),
                _ => (reference.Names[0], StepText.Roots),
            };
            if (!asked.Known.Contains(asked.Name) || reference.Names.Length != (reference.Names[0] == StepText.Steps ? 3 : 2))
            {
                string near = Nearest.Of(asked.Name, asked.Known) is { } meant && meant != asked.Name ? $"did you mean '{meant}'? " : "";
                throw Wrong(
                    at,
                    $"step '{spec.Name}' asks for {text}, and there is no '{asked.Name}'",
                    $"{near}known are: {(asked.Known.Count > 0 ? string.Join(", ", asked.Known.Take(50)) : "none")}; values are {{{{vars.NAME}}}}, {{{{steps.STEP.result}}}} and {{{{workflow.id}}}}",
                    MeshErrors.UnknownVariable);
            }

            before ??= Before(spec.Name);
            if (reference.Names[0] == StepText.Steps && !before.Contains(reference.Names[1]))
            {
                throw Wrong(
                    at, $"step '{spec.Name}' asks for {text}, and '{reference.Names[1]}' need not be over when it begins", $"add needs: [{reference.Names[1]}] to '{spec.Name}'", MeshErrors.UnknownVariable);
            }
        }
    }

    private void CheckInput(StepSpec spec, StepInput input, Place? at)
    {
        if (Find(input.Step) is not { } from)
        {
            string near = Nearest.Of(input.Step, Names) is { } meant ? $"did you mean '{meant}'? " : "";
            throw Wrong(at, $"step '{spec.Name}' takes a file from '{input.Step}', and there is no such step", $"{near}steps are: {string.Join(", ", Names.Take(50))}", MeshErrors.UnknownStep);
        }

        if (from.Job.Artifacts.All(artifact => artifact.Name != input.Artifact))
        {
            string[] known = [.. from.Job.Artifacts.Select(artifact => artifact.Name)];
            string near = Nearest.Of(input.Artifact, known) is { } meant ? $"did you mean '{meant}'? " : "";
            throw Wrong(at, $"step '{input.Step}' has no artifact '{input.Artifact}'", $"{near}{(known.Length > 0 ? $"it has: {string.Join(", ", known)}" : "write artifacts: there")}", MeshErrors.UnknownVariable);
        }
    }

    private string[] Names => [.. steps.Select(step => step.Spec.Name)];

    private StepSpec? Find(string name) => steps.FirstOrDefault(step => step.Spec.Name == name).Spec;

    /// <summary>Every step that is over when this one begins.</summary>
    private HashSet<string> Before(string name)
    {
        var before = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([name]);
        while (open.TryDequeue(out string? next))
        {
            foreach (StepNeed need in Find(next)!.Needs.Where(need => before.Add(need.Step)))
            {
                open.Enqueue(need.Step);
            }
        }

        return before;
    }

    /// <summary>The shortest way from the step back to itself; null where there is none.</summary>
    private ImmutableArray<string>? CircleFrom(string name)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<ImmutableArray<string>>([[name]]);
        while (open.TryDequeue(out ImmutableArray<string> way))
        {
            foreach (StepNeed need in Find(way[^1])!.Needs)
            {
                if (need.Step == name)
                {
                    return way.Add(name);
                }

                if (seen.Add(need.Step))
                {
                    open.Enqueue(way.Add(need.Step));
                }
            }
        }

        return null;
    }

    private static Place? PlaceOf(YamlMap? map, string key, int item = -1) => map?.Entries.FirstOrDefault(entry => entry.Key.Value == key).Value switch
    {
        YamlList list when item >= 0 && item < list.Items.Count => list.Items[item].At,
        { } node => node.At,
        _ => map?.At,
    };

    private MeshException Wrong(Place? at, string what, string next, string code) => at is { } place ? YamlTree.Wrong(file, place, what, next, code) : new MeshException(code, what, next);
}
