using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Cron;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.Entity;
using AgentMesh.Mesh.Workflows.File;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Workflows;

/// <summary>One workflow at its home with a journal in memory; the clock, the devices and the jobs are the test's.</summary>
internal sealed class WorkflowLab : EntityLab
{
    private readonly HashSet<JobId> _submitted = [];
    private volatile IReadOnlyList<ArrayDevice> _devices = [GpuBox, Lab];

    public static WorkflowId Id { get; } = WorkflowId.FromIdempotencyKey(Home, "lab");

    public static ArrayDevice GpuBox { get; } = new(Gpu, "gpu-box", null);

    public static ArrayDevice Lab { get; } = new(Third, "lab", null);

    public static WorkflowDefaults Defaults { get; } = new(TargetsOf, line => JobCommand.Handler(line), command => SpecOf(command: command), Laptop)
    {
        NotifyOf = NotifyOf,
    };

    public CronLab.SetTime Time { get; } = new();

    /// <summary>What is told to URLs.</summary>
    public ParcelsOfTest Parcels { get; } = new();

    /// <summary>What programs wrote.</summary>
    public ConcurrentDictionary<JobId, string> Outputs { get; } = new();

    public IReadOnlyList<ArrayDevice> Devices
    {
        set => _devices = value;
    }

    public static WorkflowSpec Read(string text, params (string Name, string Value)[] set) =>
        WorkflowReader.Read(text, "flow.yaml", set.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal), Defaults);

    public async Task<WorkflowView> Submit(string text)
    {
        await Ask<WorkflowAccepted>(new SubmitWorkflow(Id, Read(text), []));
        return await View();
    }

    public Task<WorkflowView> View() => Ask<WorkflowView>(new GetWorkflow(Id));

    public Task<WorkflowView> Change(WorkflowAction action, string step = "") => Ask<WorkflowView>(new ChangeWorkflow(Id, action, step, Laptop));

    public async Task<Problem> Refused(WorkflowAction action, string step = "") => (await Ask<WorkflowProblem>(new ChangeWorkflow(Id, action, step, Laptop))).Problem;

    public Task<WorkflowView> Until(Func<WorkflowState, bool> holds) => Until(View, view => holds(view.State));

    /// <summary>The next job that is submitted for the first time since the last restart.</summary>
    public async Task<SubmitJob> NextSubmitted()
    {
        while (true)
        {
            (SubmitJob submit, IActorRef asker) = await Jobs.Next<SubmitJob>();
            Say(asker, new JobAccepted(submit.JobId, Repeated: false));
            if (_submitted.Add(submit.JobId))
            {
                return submit;
            }
        }
    }

    public void Ends(SubmitJob job, JobStateName state = JobStateName.Completed, string? text = "42") => Say(Entity, ViewOf(job, state, text));

    public static JobView ViewOf(SubmitJob submit, JobStateName state, string? text)
    {
        bool isProgram = submit.Spec.Command.IsProgram;
        var result = new AttemptResult(
            state == JobStateName.Completed ? AttemptOutcome.Succeeded : AttemptOutcome.Failed, state == JobStateName.Completed ? 0 : 1, isProgram ? null : text, isProgram ? text?.Length ?? 0 : 0);
        Problem? problem = state is JobStateName.Completed or JobStateName.Cancelled ? null : new Problem("AM0323", "the program ended with exit code 1", "look");
        return new JobView(submit.JobId, state, submit.Spec, 1, submit.Spec.Target.Device, result, problem, Start, Start, Start, null, false, null);
    }

    protected override Props Create() => WorkflowEntity.Create(
        Id, new WorkflowEnvironment(Home, Jobs.Ref, DevicesFor, (job, _, _) => Task.FromResult(Outputs.GetValueOrDefault(job)), Time, TimeSpan.FromMinutes(1)) { Deliver = Parcels.Deliver });

    protected override void Restarting() => _submitted.Clear();

    private IReadOnlyList<ArrayDevice> DevicesFor(ArrayTargets targets) => targets.Devices.Contains(Home)
        ? [new ArrayDevice(Home, "laptop", null)]
        : [.. _devices.Where(device => targets.Everybody || targets.Labels.Contains("gpu") || targets.Devices.Contains(device.Id))];

    private static Notify NotifyOf(string url, string? on)
    {
        NotifyUrl.Parse(url);
        return new Notify(url, on is null ? NotifyOn.Any : Enum.Parse<NotifyOn>(on, ignoreCase: true));
    }

    private static StepTargets TargetsOf(string? selector) => selector switch
    {
        null => new StepTargets(new ArrayTargets("", false, [Home], []), []),
        "@all" => new StepTargets(new ArrayTargets(selector, true, [], []), []),
        "@label:gpu" => new StepTargets(new ArrayTargets(selector, false, [], ["gpu"]), []),
        "@any:gpu" => new StepTargets(new ArrayTargets(selector, false, [], []), ["gpu"]),
        "@gpu-box" => new StepTargets(new ArrayTargets(selector, false, [Gpu], []), []),
        "@lab" => new StepTargets(new ArrayTargets(selector, false, [Third], []), []),
        _ => throw new MeshException(MeshErrors.UnknownLabel, $"position 1: no device has the label '{selector}'", "known are: gpu"),
    };
}
