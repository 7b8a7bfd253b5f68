using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Cron;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.Entity;
using AgentMesh.Mesh.Workflows.File;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Workflows;

/// <summary>One workflow at its home with a journal in memory; the clock, the devices and the jobs are the test's.</summary>
internal sealed class WorkflowLab : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly JobsOfTest _jobs;
    private volatile IReadOnlyList<ArrayDevice> _devices = [GpuBox, Lab];

    public WorkflowLab()
    {
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
        _jobs = new JobsOfTest(System);
        Entity = Begin();
    }

    public static WorkflowId Id { get; } = WorkflowId.FromIdempotencyKey(Home, "lab");

    public static ArrayDevice GpuBox { get; } = new(Gpu, "gpu-box", null);

    public static ArrayDevice Lab { get; } = new(Third, "lab", null);

    public static WorkflowDefaults Defaults { get; } = new(TargetsOf, line => JobCommand.Handler(line), command => SpecOf(command: command), Laptop);

    public ActorSystem System { get; }

    public CronLab.SetTime Time { get; } = new();

    public IActorRef Entity { get; private set; }

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

    public Task<object> Ask(object message) => Entity.Ask<object>(message, Patience);

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Ask(message));

    public Task<WorkflowView> View() => Ask<WorkflowView>(new GetWorkflow(Id));

    public Task<WorkflowView> Change(WorkflowAction action, string step = "") => Ask<WorkflowView>(new ChangeWorkflow(Id, action, step, Laptop));

    public async Task<Problem> Refused(WorkflowAction action, string step = "") => (await Ask<WorkflowProblem>(new ChangeWorkflow(Id, action, step, Laptop))).Problem;

    public async Task<WorkflowView> Until(Func<WorkflowState, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            WorkflowView view = await View();
            if (holds(view.State))
            {
                return view;
            }

            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>The next job that is submitted for the first time since the last restart.</summary>
    public async Task<SubmitJob> NextSubmitted()
    {
        while (true)
        {
            (SubmitJob submit, IActorRef asker) = await _jobs.Next<SubmitJob>();
            Say(asker, new JobAccepted(submit.JobId, Repeated: false));
            if (_submitted.Add(submit.JobId))
            {
                return submit;
            }
        }
    }

    public Task<(T Message, IActorRef Asker)> NextToJobs<T>() => _jobs.Next<T>();

    /// <summary>As a job of this home says it.</summary>
    public void Say(IActorRef to, object message) => to.Tell(message, _jobs.Ref);

    public void Ends(SubmitJob job, JobStateName state = JobStateName.Completed, string? text = "42") => Say(Entity, ViewOf(job, state, text));

    public static JobView ViewOf(SubmitJob submit, JobStateName state, string? text)
    {
        bool isProgram = submit.Spec.Command.IsProgram;
        var result = new AttemptResult(
            state == JobStateName.Completed ? AttemptOutcome.Succeeded : AttemptOutcome.Failed, state == JobStateName.Completed ? 0 : 1, isProgram ? null : text, isProgram ? text?.Length ?? 0 : 0);
        Problem? problem = state is JobStateName.Completed or JobStateName.Cancelled ? null : new Problem("AM0323", "the program ended with exit code 1", "look");
        return new JobView(submit.JobId, state, submit.Spec, 1, submit.Spec.Target.Device, result, problem, Start, Start, Start, null, false, null);
    }

    /// <summary>The entity goes as with its process; a new one reads the journal.</summary>
    public async Task Restart()
    {
        await Entity.GracefulStop(Patience);
        _jobs.Forget();
        _submitted.Clear();
        Entity = Begin();
    }

    public async ValueTask DisposeAsync() => await System.Terminate().WaitAsync(Patience);

    private readonly HashSet<JobId> _submitted = [];

    private IActorRef Begin() => System.ActorOf(WorkflowEntity.Create(
        Id, new WorkflowEnvironment(Home, _jobs.Ref, DevicesFor, (job, _, _) => Task.FromResult(Outputs.GetValueOrDefault(job)), Time, TimeSpan.FromMinutes(1))));

    private IReadOnlyList<ArrayDevice> DevicesFor(ArrayTargets targets) => targets.Devices.Contains(Home)
        ? [new ArrayDevice(Home, "laptop", null)]
        : [.. _devices.Where(device => targets.Everybody || targets.Labels.Contains("gpu") || targets.Devices.Contains(device.Id))];

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
