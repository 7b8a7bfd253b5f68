using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>Who waits for a job to come to rest, and until when.</summary>
internal sealed class JobWaiters
{
    public const int Max = 1_000;

    private readonly List<(IActorRef Asker, DateTimeOffset Deadline)> _waiting = [];

    public DateTimeOffset? NextDeadline => _waiting.Count == 0 ? null : _waiting.Min(waiter => waiter.Deadline);

    public bool TryAdd(IActorRef asker, DateTimeOffset deadline)
    {
        if (_waiting.Count == Max)
        {
            return false;
        }

        _waiting.Add((asker, deadline));
        return true;
    }

    public void TellOverdue(DateTimeOffset now, Func<JobView> view) => Tell(waiter => waiter.Deadline <= now, view);

    public void TellAll(Func<JobView> view) => Tell(static _ => true, view);

    private void Tell(Predicate<(IActorRef Asker, DateTimeOffset Deadline)> whom, Func<JobView> view)
    {
        (IActorRef Asker, DateTimeOffset Deadline)[] told = [.. _waiting.Where(waiter => whom(waiter))];
        if (told.Length == 0)
        {
            return;
        }

        _waiting.RemoveAll(whom);
        JobView answer = view();
        foreach ((IActorRef asker, _) in told)
        {
            asker.Tell(answer);
        }
    }
}
