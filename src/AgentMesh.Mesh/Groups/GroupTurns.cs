using System.Globalization;
using AgentMesh.Mesh.Turns;
using Akka.Actor;

namespace AgentMesh.Mesh.Groups;

/// <summary>Who waits for a turn in a group, and in which order. Nothing of it is kept: who waits asks again.</summary>
internal sealed class GroupTurns(TimeProvider time)
{
    /// <summary>Jobs that wait; more are told to ask again later.</summary>
    public const int WaitingMax = 100_000;

    /// <summary>A job that has not asked for so long does not want its turn any more.</summary>
    public static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(1);

    private const int NamesShown = 5;
    private const int GrantedAtOnceMax = 100;

    private readonly TurnQueue<JobId> _queue = new(ResourceAmounts.None, GroupSettings.HoldersMax, TurnRules.Default);
    private readonly Dictionary<JobId, (IActorRef Asker, long At)> _askers = [];
    private readonly long _start = time.GetTimestamp();

    public int Waiting => _queue.Waiting;

    /// <summary>What was journalled: who has its turn.</summary>
    public void Follow(GroupState group)
    {
        foreach (JobId job in group.Holders.Where(job => !_queue.IsHolding(job)))
        {
            _queue.Remove(job);
            _queue.Take(new TurnRequest<JobId>(job, "", "", 0, ResourceAmounts.None, job.Short));
        }
    }

    public void Return(IEnumerable<JobId> jobs)
    {
        foreach (JobId job in jobs)
        {
            _queue.Remove(job);
            _askers.Remove(job);
        }
    }

    /// <returns>False where too many wait.</returns>
    public bool TryAdd(AskTurn ask, IActorRef asker)
    {
        if (_queue.Waiting >= WaitingMax && !_queue.IsWaiting(ask.JobId))
        {
            return false;
        }

        _askers[ask.JobId] = (asker, time.GetTimestamp());
        _queue.Add(new TurnRequest<JobId>(ask.JobId, ask.Share, "", ask.Priority, ResourceAmounts.None, ask.JobId.Short), Now);
        return true;
    }

    /// <summary>Those whose turn has come; they have it once it is journalled.</summary>
    public IReadOnlyList<JobId> Next(GroupSettings settings)
    {
        ForgetSilent();
        if (settings.IsPaused)
        {
            return [];
        }

        _queue.PlacesMax = Math.Min(settings.Places, _queue.Holding + GrantedAtOnceMax);
        return _queue.Next(Now);
    }

    /// <summary>Who asked for it; null where nobody waits for the answer.</summary>
    public IActorRef? AskerOf(JobId job) => _askers.TryGetValue(job, out (IActorRef Asker, long At) asker) ? asker.Asker : null;

    public string Why(JobId job, GroupState group)
    {
        long before = _queue.Before(job, Now);
        string queue = before > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {before} before it") : "";
        if (group.InForce.IsPaused)
        {
            return $"the group {group.GroupId.Name} is paused{queue}; 'agentmesh group resume {group.GroupId.Name}' lets it go on";
        }

        string more = group.Holders.Count > NamesShown ? string.Create(CultureInfo.InvariantCulture, $" and {group.Holders.Count - NamesShown} more") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the group {group.GroupId.Name} is full: {group.Holders.Count} of {group.InForce.Places} places are held by {string.Join(", ", group.Holders.Take(NamesShown).Select(static each => each.Short))}{more}{queue}");
    }

    private TimeSpan Now => time.GetElapsedTime(_start);

    private void ForgetSilent()
    {
        foreach (JobId job in _askers.Where(each => time.GetElapsedTime(each.Value.At) > ForgottenAfter).Select(static each => each.Key).ToArray())
        {
            _askers.Remove(job);
            if (_queue.IsWaiting(job))
            {
                _queue.Remove(job);
            }
        }
    }
}
