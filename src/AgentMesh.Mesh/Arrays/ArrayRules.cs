using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Arrays;

/// <summary>What the home of an array decides. Pure: the state, the devices and the time in; the event to be journalled out.</summary>
public static class ArrayRules
{
    /// <summary>Elements that begin in one event.</summary>
    public const int PlacedAtOnce = 256;

    /// <summary>An element that was moved so often stays where it is.</summary>
    public const int GenerationsMax = 20;

    /// <exception cref="MeshException">AM0355, AM0358.</exception>
    public static void Check(ArraySpec spec)
    {
        Invariant.Check(spec.Parallel is null or (>= 1 and <= ArraySpec.ParallelMax));
        if (!spec.Items.IsSound())
        {
            throw ArrayItems.TooMany(spec.Items.Count);
        }

        Placeholders.Check(spec.Job.Command, spec.Items);
    }

    /// <summary>What is due now; null for nothing.</summary>
    public static IArrayEvent? Next(ArrayState array, IReadOnlyList<ArrayDevice> devices, DateTimeOffset now)
    {
        if (!array.Exists || array.EndedAt is not null)
        {
            return null;
        }

        bool begins = array.CancelRequestedAt is null && array.Waiting > 0;
        if (!begins)
        {
            return array.Running.IsEmpty ? new ArrayEndedEvent(now) : null;
        }

        ImmutableArray<ElementRun> placed = Place(array, devices, now);
        return placed.IsEmpty ? null : new ElementsPlacedEvent(now, placed);
    }

    /// <summary>Each waiting element, the lowest first, goes to the device that is there and has the fewest running ones; of equals to the first by name.</summary>
    public static ImmutableArray<ElementRun> Place(ArrayState array, IReadOnlyList<ArrayDevice> devices, DateTimeOffset now)
    {
        ArrayDevice[] online = [.. devices.Where(device => device.IsOnline).OrderBy(device => device.Name, StringComparer.Ordinal)];
        int[] load = [.. online.Select(device => array.Running.Values.Count(run => run.Device == device.Id))];
        int free = Math.Min(PlacedAtOnce, array.Spec!.Parallel is { } parallel ? parallel - array.Running.Count : load.Count(running => running == 0));
        if (online.Length == 0 || free <= 0)
        {
            return [];
        }

        IEnumerable<(int Index, int Generation)> waiting = array.Again.Select(again => (again.Key, again.Value)).Concat(Enumerable.Range(array.Begun, array.Count - array.Begun).Select(index => (index, 1)));
        ImmutableArray<ElementRun>.Builder placed = ImmutableArray.CreateBuilder<ElementRun>();
        foreach ((int index, int generation) in waiting.Take(free))
        {
            int least = Array.IndexOf(load, load.Min());
            load[least]++;
            JobId job = array.ArrayId.JobOf(array.Spec.Items.NumberOf(index), generation);
            placed.Add(new ElementRun(index, generation, job, online[least].Id, online[least].Name, now));
        }

        return placed.ToImmutable();
    }

    /// <summary>The job of an element waits for a device that is gone, while another could do it. What runs, or may run, is never moved.</summary>
    public static bool IsToMove(ArrayState array, ElementRun run, JobStateName state, IReadOnlyList<ArrayDevice> devices) =>
        array.CancelRequestedAt is null && !run.IsMoving && run.Generation < GenerationsMax && state is JobStateName.Queued or JobStateName.Retrying
        && !devices.Any(device => device.Id == run.Device && device.IsOnline) && devices.Any(device => device.IsOnline);

    public static SubmitJob Submission(ArrayState array, ElementRun run)
    {
        JobSpec job = array.Spec!.Job;
        return new SubmitJob(run.JobId, job with
        {
            Command = Placeholders.Fill(job.Command, array.Spec.Items, run.Index),
            Target = new JobTarget(run.Device, array.Spec.Targets.Selector, run.DeviceName),
            Retry = job.Retry with { FailWhenUsedUp = true },
            IdempotencyKey = string.Create(CultureInfo.InvariantCulture, $"{array.ArrayId}/{array.Spec.Items.NumberOf(run.Index)}"),
            QueueWhenOffline = true,
        });
    }

    public static ElementEnd End(ElementRun run, JobView job, DateTimeOffset now)
    {
        string? text = job.Result?.Text is { } whole ? whole.ReplaceLineEndings("\n").Split('\n')[0] : null;
        return new ElementEnd(
            run,
            job.State,
            job.Result?.ExitCode,
            job.Problem,
            text?.Length > ElementEnd.TextCharsMax ? text[..ElementEnd.TextCharsMax] : text,
            job.PlacedAt,
            job.EndedAt ?? now);
    }

    public static ArrayView View(ArrayState array, IReadOnlyList<ArrayDevice> devices)
    {
        ArraySpec spec = array.Spec!;
        bool isCancelled = array.CancelRequestedAt is not null;
        return new ArrayView(
            array.ArrayId,
            StateOf(array),
            spec.Job.Command.ToString(),
            spec.Targets.Selector,
            spec.Parallel,
            array.Count,
            isCancelled ? 0 : array.Waiting,
            array.Running.Count,
            array.Completed,
            array.Failed,
            array.Cancelled + (isCancelled ? array.Waiting : 0),
            array.AcceptedAt,
            array.EndedAt,
            spec.Job.IdempotencyKey,
            WaitingFor(array, devices))
        {
            Notify = spec.Notify,
            Delivery = array.Delivery,
        };
    }

    public static ArrayElements Elements(ArrayState array, GetElements question)
    {
        var elements = ImmutableArray.CreateBuilder<ElementView>();
        int index = Math.Max(0, question.From);
        if (question.Failed)
        {
            ElementEnd[] failed = [.. array.Ended.Values.Where(end => end.Run.Index >= index && end.State != JobStateName.Completed).Take(question.Limit + 1)];
            elements.AddRange(failed.Take(question.Limit).Select(end => View(array, end.Run.Index)));
            return new ArrayElements(array.ArrayId, elements.ToImmutable(), failed.Length > question.Limit ? failed[^1].Run.Index : null);
        }

        for (; index < array.Count && elements.Count < question.Limit; index++)
        {
            elements.Add(View(array, index));
        }

        return new ArrayElements(array.ArrayId, elements.ToImmutable(), index < array.Count ? index : null);
    }

    private static ElementView View(ArrayState array, int index)
    {
        ArrayItems items = array.Spec!.Items;
        int number = items.NumberOf(index);
        string parameters = items.Describe(index);
        if (array.Ended.TryGetValue(index, out ElementEnd? end))
        {
            ElementStateName state = end.State switch
            {
                JobStateName.Completed => ElementStateName.Completed,
                JobStateName.Cancelled => ElementStateName.Cancelled,
                _ => ElementStateName.Failed,
            };
            return new ElementView(index, number, state, parameters, end.Run.JobId, end.Run.DeviceName, end.ExitCode, end.Problem, end.Text, end.BeganAt, end.EndedAt);
        }

        if (array.Running.TryGetValue(index, out ElementRun? run))
        {
            return new ElementView(index, number, ElementStateName.Running, parameters, run.JobId, run.DeviceName, null, null, null, run.PlacedAt, null);
        }

        ElementStateName idle = array.CancelRequestedAt is null ? ElementStateName.Waiting : ElementStateName.Cancelled;
        JobId last = array.Again.TryGetValue(index, out int generation) ? array.ArrayId.JobOf(number, generation - 1) : default;
        return new ElementView(index, number, idle, parameters, last, null, null, null, null, null, null);
    }

    private static ArrayStateName StateOf(ArrayState array) => array switch
    {
        { EndedAt: not null, CancelRequestedAt: not null } => ArrayStateName.Cancelled,
        { EndedAt: not null } => array.Completed == array.Count ? ArrayStateName.Completed : ArrayStateName.Failed,
        { CancelRequestedAt: not null } => ArrayStateName.Cancelling,
        { Running.IsEmpty: false } => ArrayStateName.Running,
        _ => ArrayStateName.Waiting,
    };

    private static string? WaitingFor(ArrayState array, IReadOnlyList<ArrayDevice> devices)
    {
        if (array.EndedAt is not null || array.CancelRequestedAt is not null || array.Waiting == 0)
        {
            return null;
        }

        ArraySpec spec = array.Spec!;
        if (!devices.Any(device => device.IsOnline))
        {
            return devices.Count == 0 ? $"no device of this mesh is {spec.Targets.Selector}" : string.Join("; ", devices.Take(10).Select(device => device.Absence));
        }

        return spec.Parallel is { } parallel
            ? array.Running.Count >= parallel ? $"{array.Waiting} wait: {parallel} at the same time are allowed" : null
            : $"{array.Waiting} wait: one at a time on each of {devices.Count(device => device.IsOnline)} devices; --max-parallel allows more";
    }
}
