namespace AgentMesh.Mesh.Jobs.Doors;

/// <summary>Who waits for one device, and who is on the way to it. Knows no actor and no clock.</summary>
/// <typeparam name="TCaller">How a job is called.</typeparam>
/// <param name="atOnce">On the way at the same time.</param>
/// <param name="forgetAfter">One of which nothing was heard for so long is not on the way any more.</param>
internal sealed class DoorLine<TCaller>(int atOnce, TimeSpan forgetAfter)
{
    private readonly PriorityQueue<JobId, (int Priority, bool IsNew, long Order)> _order = new();
    private readonly Dictionary<JobId, TCaller> _waiting = [];
    private readonly Dictionary<JobId, TimeSpan> _onTheWay = [];
    private long _count;

    public bool IsEmpty => _waiting.Count == 0 && _onTheWay.Count == 0;

    public int Waiting => _waiting.Count;

    public int OnTheWay => _onTheWay.Count;

    /// <returns>True for one that is on the way already: it is to be told again.</returns>
    public bool Add(JobId job, int priority, bool hasBegun, TCaller caller, TimeSpan now)
    {
        if (_onTheWay.ContainsKey(job))
        {
            _onTheWay[job] = now;
            return true;
        }

        if (!_waiting.ContainsKey(job))
        {
            _order.Enqueue(job, (-priority, !hasBegun, _count++));
        }

        // Another actor may speak for the job now.
        _waiting[job] = caller;
        return false;
    }

    public void Hear(JobId job, TimeSpan now)
    {
        if (_onTheWay.ContainsKey(job))
        {
            _onTheWay[job] = now;
        }
    }

    public void Remove(JobId job)
    {
        _onTheWay.Remove(job);
        _waiting.Remove(job);
        if (_waiting.Count == 0)
        {
            _order.Clear();
        }
    }

    /// <summary>Those whose turn it is. The device is there.</summary>
    public IEnumerable<(JobId Job, TCaller Caller)> Next(TimeSpan now)
    {
        while (_onTheWay.Count < atOnce && _order.TryDequeue(out JobId job, out _))
        {
            if (_waiting.Remove(job, out TCaller? caller))
            {
                _onTheWay[job] = now;
                yield return (job, caller);
            }
        }
    }

    public void ForgetSilent(TimeSpan now)
    {
        foreach (JobId silent in _onTheWay.Where(each => now - each.Value >= forgetAfter).Select(each => each.Key).ToArray())
        {
            _onTheWay.Remove(silent);
        }
    }
}
