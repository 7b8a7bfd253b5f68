using System.Collections.Immutable;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using Simulation.Engine;
using Simulation.World;

namespace Simulation.Mesh;

/// <summary>Short jobs from one device to another, to see that those who can reach each other work together all the time.</summary>
/// <param name="calmOf">For how long nothing has been done to two devices and to the lines between them.</param>
internal sealed class Probes(SimLoop loop, IReadOnlyList<MeshNode> nodes, Func<MeshNode, MeshNode, TimeSpan> calmOf, Func<TimeSpan> settle, Action<string, int> most)
{
    /// <summary>A third device may make both start over once meanwhile.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    private int _count;

    public void Begin(TimeSpan until) => loop.After(loop.Between(0.2, 3), null, () =>
    {
        if (loop.Now > until)
        {
            return;
        }

        Send(nodes[loop.Random.Next(nodes.Count)], nodes[loop.Random.Next(nodes.Count)]);
        Begin(until);
    });

    private void Send(MeshNode home, MeshNode device)
    {
        var job = JobId.FromIdempotencyKey(home.Id, $"probe{++_count}");
        var spec = new JobSpec(
            SimAttempts.Probe, new JobTarget(device.Id, "@device", "device"), new Caller(home.Id, "home", "user"), RetryPolicy.Default, JobTimeouts.Default, null, true) { After = ImmutableArray<JobDependency>.Empty };
        TimeSpan began = loop.Now;
        bool isAccepted = false;
        Ask();
        Look();

        void Ask()
        {
            if (!isAccepted)
            {
                home.Ask(new SubmitJob(job, spec), answer => isAccepted |= answer is JobAccepted);
                loop.After(AskAgainAfter, null, Ask);
            }
        }

        void Look()
        {
            TimeSpan since = loop.Now - began;
            if (home.Disk.LastManifest(job.ToString()) == "job-event.completed.1")
            {
                if (calmOf(home, device) >= since + settle())
                {
                    most("slowest job between undisturbed devices, ms", (int)since.TotalMilliseconds);
                }
            }
            else if (since >= Within)
            {
                loop.Require(
                    calmOf(home, device) < since + settle(),
                    () => $"{job} of device {home.Number} for device {device.Number} is not done after {Within}, and nothing was done to the two for {calmOf(home, device)}: {home.Disk.LastManifest(job.ToString()) ?? "not accepted"}");
            }
            else
            {
                loop.After(TimeSpan.FromSeconds(0.1), null, Look);
            }
        }
    }
}
