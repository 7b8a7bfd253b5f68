using AgentMesh.Mesh;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Protocol.Identity;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>The users of a home, who put jobs into groups, change their limits, pause and resume them, and have jobs tried again that were paused or failed.</summary>
/// <param name="placesMost">The highest limit that is set.</param>
/// <param name="share">Of all jobs, those in a group.</param>
internal sealed class SimGroups(SimLoop loop, HomeId home, int placesMost, double share, Func<bool> isTired, Action<object, Predicate<object>> repeat)
{
    /// <summary>Nobody sets anything for the last one.</summary>
    private static readonly string[] Names = ["tight", "wide", "free"];

    /// <summary>The first one submits as much as the others together.</summary>
    private static readonly string[] Users = ["ann", "ann", "ann", "bo", "bo", "cy"];

    private static readonly TimeSpan AwaitFor = TimeSpan.FromMinutes(2);

    public void Begin()
    {
        Set(Names[0], 1);
        Set(Names[1], placesMost);
        loop.After(loop.Between(5, 30), null, Change);
    }

    /// <summary>Puts the job into a group, or leaves it as it is. Some are paused at their first failure.</summary>
    public JobSpec Into(JobSpec spec) => loop.Chance(share)
        ? spec with
        {
            Needs = JobNeeds.None with { Group = Names[loop.Random.Next(Names.Length)], Priority = loop.Chance(0.5) ? 0 : loop.Random.Next(-2, 3) },
            Caller = spec.Caller with { User = Users[loop.Random.Next(Users.Length)] },
            Retry = loop.Chance(0.4) ? spec.Retry with { Attempts = 1, FailWhenUsedUp = false } : spec.Retry,
        }
        : spec;

    /// <summary>Now and then a job that is given up is tried again, at the moment at which that is known.</summary>
    /// <returns>False where nobody will.</returns>
    public bool TryAgain(JobId job, JobSpec spec)
    {
        if (spec.Needs.Group is null || !loop.Chance(0.6))
        {
            return false;
        }

        bool isAsked = false;
        repeat(new AwaitJob(job, SimClock.Begin + loop.Now + AwaitFor), answer =>
        {
            if (!isAsked && answer is JobView { State: JobStateName.Paused })
            {
                isAsked = true;
                repeat(new RetryJob(job, spec.Caller), again => again is JobView or JobProblem);
            }

            return answer is JobView or JobProblem;
        });
        return true;
    }

    private void Change()
    {
        if (isTired())
        {
            return;
        }

        string name = Names[loop.Random.Next(2)];
        if (loop.Chance(0.5))
        {
            Set(name, loop.Random.Next(1, placesMost + 1));
        }
        else
        {
            var id = new GroupId(home, name);
            bool isPaused = false;
            repeat(new SetGroup(id, null, LiftMax: false, Paused: true), answer =>
            {
                if (!isPaused && answer is GroupView)
                {
                    isPaused = true;
                    loop.After(loop.Between(1, 12), null, () => repeat(new SetGroup(id, null, LiftMax: false, Paused: false), resumed => resumed is GroupView));
                }

                return answer is GroupView;
            });
        }

        loop.After(loop.Between(10, 40), null, Change);
    }

    private void Set(string name, int max) => repeat(new SetGroup(new GroupId(home, name), max, LiftMax: false, Paused: null), answer => answer is GroupView);
}
