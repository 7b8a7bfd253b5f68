using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>What the device that has the attempt of a job is told of it. Whatever is lost is told again by the entity.</summary>
internal sealed class JobOrders(JobEnvironment environment)
{
    public void Tell(JobState job, IActorContext context)
    {
        if (job.CancelRequestedAt is not null)
        {
            End(job, context);
        }
        else if (job.Name == JobStateName.Placing)
        {
            WorkersOf(job, context).Tell(JobRules.Order(job), context.Self);
        }
    }

    /// <summary>The attempt is not wanted any more.</summary>
    public void End(JobState job, IActorContext context) => WorkersOf(job, context).Tell(new CancelAttempt(job.JobId, job.Attempt), context.Self);

    private ICanTell WorkersOf(JobState job, IActorContext context) => environment.WorkersOf(context, job.Placement!.Device);
}
