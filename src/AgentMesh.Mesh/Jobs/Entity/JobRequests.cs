using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>
/// What is asked of a job, and what follows from it. The home of a job submits and changes it; the device that runs it reads it too. Decides only: the entity records, shows and lets wait.
/// </summary>
internal sealed class JobRequests(JobEnvironment environment, JobReplies replies)
{
    /// <param name="from">The device that asks.</param>
    /// <param name="wasThere">There is a job, or was one.</param>
    /// <returns>Null for what is no request.</returns>
    public RequestStep? Take(object message, JobState job, DeviceId from, bool wasThere, DateTimeOffset now) => message switch
    {
        SubmitJob submit => Submitted(job, submit, from, now),
        GetJob or WakeJob => Read(job, from, wasThere) ?? default(RequestStep),
        AwaitJob request => Read(job, from, wasThere) ?? (request.IsAnsweredBy(job) || request.Deadline <= now ? default : new RequestStep { Waits = request }),
        CancelJob request => Change(job, from, wasThere) ?? Cancelled(job, request, now),
        RetryJob request => Change(job, from, wasThere) ?? Retried(job, request, now),
        _ => null,
    };

    private RequestStep Submitted(JobState job, SubmitJob submit, DeviceId from, DateTimeOffset now)
    {
        long? life = environment.LifeOf(submit.Spec.Target.Device);
        return replies.ToSubmission(job, submit, environment.SpeaksForHome(from), life, now) is { } answer
            ? new RequestStep { Answer = answer }
            : new RequestStep { Change = JobRules.Accept(submit.Spec, life, now), Answer = new JobAccepted(job.JobId, Repeated: false) };
    }

    private static RequestStep Cancelled(JobState job, CancelJob request, DateTimeOffset now) => job.Name switch
    {
        JobStateName.Queued or JobStateName.Retrying or JobStateName.Paused => new RequestStep { Change = new CancelledEvent(now, job.Attempt, null, null) },
        JobStateName.Placing or JobStateName.Running when job.CancelRequestedAt is null => new RequestStep { Change = new CancelRequestedEvent(now, request.By) },
        JobStateName.Completed or JobStateName.Failed => new RequestStep { Answer = JobReplies.NothingToCancel(job) },
        _ => default,
    };

    private static RequestStep Retried(JobState job, RetryJob request, DateTimeOffset now) =>
        job.Name is JobStateName.Paused or JobStateName.Failed or JobStateName.Cancelled
            ? new RequestStep { Change = new RetriedEvent(now, request.By, request.FromStart) }
            : new RequestStep { Answer = JobReplies.NothingToRetry(job) };

    /// <summary>For the home and for the device that runs the job.</summary>
    /// <returns>Null for who may.</returns>
    private RequestStep? Read(JobState job, DeviceId from, bool wasThere) =>
        JobReplies.ToReader(job, wasThere, () => environment.SpeaksForHome(from) || from == job.Spec!.Target.Device) is { } refusal ? new RequestStep { Answer = refusal } : null;

    /// <summary>For the home alone.</summary>
    /// <returns>Null for who may.</returns>
    private RequestStep? Change(JobState job, DeviceId from, bool wasThere) =>
        Read(job, from, wasThere) ?? (environment.SpeaksForHome(from) ? null : new RequestStep { Answer = JobReplies.OnlyItsHomeChangesIt(job) });
}

/// <summary>What follows from one request; <c>default</c>: the job is shown as it is.</summary>
internal readonly record struct RequestStep
{
    /// <summary>To be told; null for the job as it is then.</summary>
    public object? Answer { get; init; }

    /// <summary>To be recorded; <see cref="Answer"/> is told when it is stored.</summary>
    public IJobEvent? Change { get; init; }

    /// <summary>To be answered later.</summary>
    public AwaitJob? Waits { get; init; }
}
