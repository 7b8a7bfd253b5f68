using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>Somebody who submits jobs with keys until they are acknowledged, and changes their mind about some.</summary>
internal sealed class SimCaller(SimLoop loop, ISimHome home, IReadOnlyList<DeviceId> devices, History history)
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>Each so many submissions one is a workflow.</summary>
    private const int WorkflowEvery = 20;

    private readonly List<string> _own = [];
    private readonly List<CronId> _many = [];
    private SimGroups? _groups;
    private int _keys;

    public IReadOnlyList<CronId> Crons { get; } = [new(home.Id, "all"), new(home.Id, "skip"), new(home.Id, "buffer"), new(home.Id, "late")];

    public bool IsTired { get; set; }

    public bool HasArrays { get; init; } = true;

    /// <summary>The longest time between two jobs, in seconds.</summary>
    public double Pause { get; set; } = 4;

    /// <summary>Some of the jobs belong to groups from now on.</summary>
    public void UseGroups(int placesMost, double share)
    {
        _groups = new SimGroups(loop, home.Id, placesMost, share, () => IsTired, Repeat);
        _groups.Begin();
    }

    public void SubmitAgainAndAgain()
    {
        if (IsTired)
        {
            return;
        }

        string key = $"{home.Id.ToString()[..2]}{++_keys}";
        JobSpec spec = Spec(devices[loop.Random.Next(devices.Count)], key, loop.Chance(0.7));
        spec = _groups?.Into(spec) ?? spec;
        if (HasArrays && _keys % WorkflowEvery == 0)
        {
            new SimWorkflow(loop, history, devices, Repeat).Submit(WorkflowId.FromIdempotencyKey(home.Id, key), spec);
        }
        else if (HasArrays && loop.Chance(0.05))
        {
            SubmitArray(key, spec);
        }
        else
        {
            Submit(key, spec with { After = Earlier() }, triesLeft: 30);
        }

        loop.After(loop.Between(0.05, Pause), null, SubmitAgainAndAgain);
    }

    /// <summary>Sometimes a job waits for others.</summary>
    private ImmutableArray<JobDependency> Earlier() => _own.Count == 0 || !loop.Chance(0.2)
        ? []
        : [.. Enumerable.Range(0, loop.Random.Next(1, 3))
            .Select(_ => _own[loop.Random.Next(_own.Count)])
            .Distinct(StringComparer.Ordinal)
            .Select(text => JobId.TryParse(text, out JobId job) ? new JobDependency((DependencyCondition)loop.Random.Next(1, 4), job) : throw new InvalidOperationException(text))];

    private void SubmitArray(string key, JobSpec spec)
    {
        var id = ArrayId.FromIdempotencyKey(home.Id, key);
        string[] cells = [.. Enumerable.Range(0, loop.Random.Next(1, 12)).Select(number => number.ToString(CultureInfo.InvariantCulture))];
        var array = new ArraySpec(spec, new ArrayTargets("@all", true, [], []), new ArrayItems([""], [.. cells]), loop.Chance(0.5) ? null : loop.Random.Next(1, 6));
        Repeat(new SubmitArray(id, array), answer =>
        {
            if (answer is ArrayAccepted)
            {
                history.ArrayAccepted(id.ToString());
            }

            return answer is ArrayAccepted;
        });
        if (loop.Chance(0.2))
        {
            loop.After(loop.Between(1, 40), null, () => Repeat(new CancelArray(id, CallerOf()), answer =>
            {
                if (answer is ArrayView { State: ArrayStateName.Cancelling or ArrayStateName.Cancelled })
                {
                    history.CancelAcknowledged.Add(id.ToString());
                }

                return answer is ArrayView or ArrayProblem;
            }));
        }
    }

    /// <summary>What somebody would submit for a device that is away.</summary>
    public JobSpec SpecFor(DeviceId device, string key) => Spec(device, key, queue: true);

    /// <summary>A job of its own, for any device.</summary>
    public void SubmitOne(string key) => Submit(key, Spec(devices[loop.Random.Next(devices.Count)], key, queue: true), triesLeft: 60);

    /// <summary>Schedules that fire each minute and make up for what was missed.</summary>
    public IReadOnlyList<CronId> AddManySchedules(int count)
    {
        CronId[] ids = [.. Enumerable.Range(0, count).Select(number => new CronId(home.Id, $"many{number}"))];
        foreach (CronId id in ids)
        {
            Add(id, new("* * * * *", "UTC", Spec(devices[0], null, queue: true), CronMissed.All, CronOverlap.Allow, 0));
        }

        _many.AddRange(ids);
        return ids;
    }

    public void AddSchedules()
    {
        CronSpec spec = new("* * * * *", "UTC", Spec(devices[0], null, queue: true), CronMissed.All, CronOverlap.Allow, 0);
        Add(Crons[0], spec);
        Add(Crons[1], spec with { Missed = CronMissed.Skip, Overlap = CronOverlap.Skip });
        Add(Crons[2], spec with { Missed = CronMissed.Once, Overlap = CronOverlap.Buffer });
        Add(Crons[3], spec with { Jitter = TimeSpan.FromSeconds(40) });
    }

    public void DisableSchedules()
    {
        foreach (CronId id in _many.Count > 0 ? _many : Crons)
        {
            Repeat(new EnableCron(id, Enabled: false), answer => answer is CronView);
        }
    }

    private void Add(CronId id, CronSpec spec) => Repeat(new CreateCron(id, spec, Replace: false), answer => answer is CronView);

    private void Repeat(object question, Predicate<object> isAnswer)
    {
        bool isDone = false;
        Try();

        void Try()
        {
            if (!isDone)
            {
                home.Ask(question, answer => isDone |= isAnswer(answer));
                loop.After(AskAgainAfter, null, Try);
            }
        }
    }

    private void Submit(string key, JobSpec spec, int triesLeft)
    {
        var job = JobId.FromIdempotencyKey(home.Id, key);
        bool isDone = false;
        Try(triesLeft);

        void Try(int left)
        {
            if (isDone || left == 0)
            {
                return;
            }

            home.Ask(new SubmitJob(job, spec), answer =>
            {
                if (answer is JobAccepted accepted)
                {
                    history.Accepted(key, accepted.JobId.ToString());
                    _own.Add(accepted.JobId.ToString());
                    if (!isDone && _groups?.TryAgain(job, spec) != true && loop.Chance(0.15))
                    {
                        loop.After(loop.Between(0, 20), null, () => Cancel(job, 20));
                    }

                    // Somebody does not trust the answer and asks once more.
                    isDone = !loop.Chance(0.1);
                }
            });
            loop.After(AskAgainAfter, null, () => Try(left - 1));
        }
    }

    private void Cancel(JobId job, int left)
    {
        bool isDone = left == 0;
        if (isDone)
        {
            return;
        }

        home.Ask(new CancelJob(job, CallerOf()), answer =>
        {
            isDone |= answer is JobView or JobProblem { Problem.Code: AgentMesh.Mesh.MeshErrors.NotInThisState };
            if (answer is JobView)
            {
                loop.Note($"cancelled {job}");
                history.CancelAcknowledged.Add(job.ToString());
            }
        });
        loop.After(AskAgainAfter, null, () =>
        {
            if (!isDone)
            {
                Cancel(job, left - 1);
            }
        });
    }

    private JobSpec Spec(DeviceId target, string? key, bool queue) => new(
        JobCommand.Handler("work"),
        new JobTarget(target, "@" + target, "device"),
        CallerOf(),
        RetryPolicy.Default with { Attempts = loop.Random.Next(1, 6), FailWhenUsedUp = loop.Chance(0.5) },
        JobTimeouts.Default with { Heartbeat = TimeSpan.FromSeconds(15) },
        key,
        queue);

    private Caller CallerOf() => new(home.Id, "home", "user");
}
