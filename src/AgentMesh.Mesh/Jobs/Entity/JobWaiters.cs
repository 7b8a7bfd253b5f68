using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>Who waits for a job to come to rest, and for how long.</summary>
internal sealed class JobWaiters(TimeProvider time)
{
    public const int Max = 1_000;

    private readonly List<(IActorRef Asker, long Since, TimeSpan Patience)> _waiting = [];

    public TimeSpan? UntilNextDeadline => _waiting.Count == 0 ? null : _waiting.Min(waiter => waiter.Patience - time.GetElapsedTime(waiter.Since));

    public bool TryAdd(IActorRef asker, TimeSpan patience)
    {
        if (_waiting.Count == Max)
        {
            return false;
        }

        _waiting.Add((asker, time.GetTimestamp(), patience));
        return true;
    }

    public void TellOverdue(Func<JobView> view) => Tell(waiter => time.GetElapsedTime(waiter.Since) >= waiter.Patience, view);

    public void TellAll(Func<JobView> view) => Tell(static _ => true, view);

    private void Tell(Predicate<(IActorRef Asker, long Since, TimeSpan Patience)> whom, Func<JobView> view)
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
