using AgentMesh.Mesh.Jobs.Doors;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>A job at the door of its device: see <see cref="DeviceDoors"/>. Nothing of it is kept: after a recovery it waits there again.</summary>
/// <param name="door">Null where jobs look for their devices themselves.</param>
internal sealed class JobDoor(IActorRef? door)
{
    private bool _isIn;

    /// <summary>It will be called: until then it need not look.</summary>
    public bool IsWaiting { get; private set; }

    public bool LetsIn => door is null || _isIn;

    /// <summary>Said again with each look, which are rare.</summary>
    public void Wait(JobState job, IActorRef asker)
    {
        if (door is not null)
        {
            if (_isIn)
            {
                // Its device has gone again.
                door.Tell(new LeftDoor(job.JobId, job.Spec!.Target.Device), asker);
            }

            IsWaiting = true;
            _isIn = false;
            door.Tell(new AtDoor(job.JobId, job.Spec!.Target.Device, job.Spec.Needs.Priority, job.Attempt > 0), asker);
        }
    }

    public void Called()
    {
        IsWaiting = false;
        _isIn = true;
    }

    /// <summary>It is on the way to its device as long as it waits for an answer, or there for its turn.</summary>
    public void LookAt(JobState job, IActorRef asker)
    {
        if (door is null || !(_isIn || IsWaiting))
        {
            return;
        }

        bool isOnTheWay = job.Name switch
        {
            JobStateName.Placing => true,
            JobStateName.Running => job.WaitingThere is not null,
            JobStateName.Queued or JobStateName.Retrying => IsWaiting,
            _ => false,
        };
        if (!isOnTheWay)
        {
            _isIn = IsWaiting = false;
            door.Tell(new LeftDoor(job.JobId, job.Spec!.Target.Device), asker);
        }
        else if (job.Name == JobStateName.Running)
        {
            door.Tell(new OnTheWay(job.JobId, job.Spec!.Target.Device), asker);
        }
    }
}
