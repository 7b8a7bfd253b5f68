using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>Who waits for a job to come to rest, and for how long.</summary>
internal sealed class JobWaiters(TimeProvider time)
{
    public const int Max = 1_000;

    private readonly List<(IActorRef Asker, long Since, TimeSpan Patience, AwaitJob Wish)> _waiting = [];

    public TimeSpan? UntilNextDeadline => _waiting.Count == 0 ? null : _waiting.Min(waiter => waiter.Patience - time.GetElapsedTime(waiter.Since));

    public bool TryAdd(IActorRef asker, TimeSpan patience, AwaitJob wish)
    {
        if (_waiting.Count == Max)
        {
            return false;
        }

        _waiting.Add((asker, time.GetTimestamp(), patience, wish));
        return true;
    }

    public void TellOverdue(Func<JobView> view) => Tell(waiter => time.GetElapsedTime(waiter.Since) >= waiter.Patience, view);

    /// <summary>Those whose wish is fulfilled though the job goes on.</summary>
    public void TellFulfilled(JobState job, Func<JobView> view) => Tell(waiter => waiter.Wish.IsAnsweredBy(job), view);

    public void TellAll(Func<JobView> view) => Tell(static _ => true, view);

    private void Tell(Predicate<(IActorRef Asker, long Since, TimeSpan Patience, AwaitJob Wish)> whom, Func<JobView> view)
    {
        IActorRef[] told = [.. _waiting.Where(waiter => whom(waiter)).Select(waiter => waiter.Asker)];
        if (told.Length == 0)
        {
            return;
        }

        _waiting.RemoveAll(whom);
        JobView answer = view();
        foreach (IActorRef asker in told)
        {
            asker.Tell(answer);
        }
    }
}
