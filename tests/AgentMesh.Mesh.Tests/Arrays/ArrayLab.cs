using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Arrays.Entity;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Cron;
using AgentMesh.Mesh.Tests.Webhooks;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Arrays;

/// <summary>One array at its home with a journal in memory; the clock, the devices and the jobs are the test's.</summary>
internal sealed class ArrayLab : EntityLab
{
    private volatile IReadOnlyList<ArrayDevice> _devices = [GpuBox, Lab];

    public static ArrayId Id { get; } = ArrayId.FromIdempotencyKey(Home, "lab");

    public static ArrayDevice GpuBox { get; } = new(Gpu, "gpu-box", null);

    public static ArrayDevice Lab { get; } = new(Third, "lab", null);

    public CronLab.SetTime Time { get; } = new();

    /// <summary>What is told to URLs.</summary>
    public ParcelsOfTest Parcels { get; } = new();

    public IReadOnlyList<ArrayDevice> Devices
    {
        set => _devices = value;
    }

    public static ArraySpec SpecOf(int count, int? parallel = null, string command = "calc {}") => new(
        Samples.SpecOf(command: JobCommand.Handler(command)),
        new ArrayTargets("@label:gpu", false, [], ["gpu"]),
        ArrayRange.Parse($"0-{count - 1}").Items,
        parallel);

    public Task<ArrayView> View() => Ask<ArrayView>(new GetArray(Id));

    public Task<ArrayView> Until(Func<ArrayView, bool> holds) => Until(View, holds);

    public async Task<SubmitJob[]> NextSubmitted(int count)
    {
        var submitted = new Dictionary<JobId, SubmitJob>();
        while (submitted.Count < count)
        {
            (SubmitJob submit, IActorRef asker) = await NextToJobs<SubmitJob>();
            submitted[submit.JobId] = submit;
            Say(asker, new JobAccepted(submit.JobId, Repeated: false));
        }

        return [.. submitted.Values];
    }

    public void Ends(SubmitJob job, JobStateName state = JobStateName.Completed) => Say(Entity, ViewOf(job, state));

    public JobView ViewOf(SubmitJob submit, JobStateName state) => new(
        submit.JobId, state, submit.Spec, 1, submit.Spec.Target.Device, new AttemptResult(AttemptOutcome.Succeeded, state == JobStateName.Completed ? 0 : 1, "42"), null, Time.Now, Time.Now, Time.Now, null, false, null);

    protected override Props Create() => ArrayEntity.Create(Id, new ArrayEnvironment(Home, Jobs.Ref, _ => _devices, Time, TimeSpan.FromMinutes(1)) { Deliver = Parcels.Deliver });
}
