namespace AgentMesh.Mesh.Jobs.Doors;

/// <summary>Who waits for one device, and who is on the way to it. Knows no actor and no clock.</summary>
/// <typeparam name="TCaller">How a job is called.</typeparam>
/// <param name="atOnce">On the way at the same time.</param>
/// <param name="forgetAfter">One of which nothing was heard for so long is not on the way any more.</param>
internal sealed class DoorLine<TCaller>(int atOnce, TimeSpan forgetAfter)
{
    /// <summary>Places of jobs that have gone, beside as many as wait.</summary>
    internal const int GonePlacesMax = 64;

    private readonly PriorityQueue<(JobId Job, long Place), (int Priority, bool IsNew, long Place)> _order = new();
    private readonly Dictionary<JobId, (TCaller Caller, long Place)> _waiting = [];
    private readonly Dictionary<JobId, TimeSpan> _onTheWay = [];
    private long _count;

    public bool IsEmpty => _waiting.Count == 0 && _onTheWay.Count == 0;

    public int Waiting => _waiting.Count;

    public int OnTheWay => _onTheWay.Count;

    /// <summary>Places in the line, those of jobs that have gone too.</summary>
    internal int Places => _order.Count;

    /// <returns>True for one that is on the way already: it is to be told again.</returns>
    public bool Add(JobId job, int priority, bool hasBegun, TCaller caller, TimeSpan now)
    {
        if (_onTheWay.ContainsKey(job))
        {
            _onTheWay[job] = now;
            return true;
        }

        if (!_waiting.TryGetValue(job, out (TCaller Caller, long Place) known))
        {
            known.Place = _count++;
            _order.Enqueue((job, known.Place), (-priority, !hasBegun, known.Place));
        }

        // Another actor may speak for the job now.
        _waiting[job] = (caller, known.Place);
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
        if (_waiting.Remove(job) && _order.Count > (2 * _waiting.Count) + GonePlacesMax)
        {
            // While their device is away nobody is called, and the places of those that went would be kept for as long.
            var left = _order.UnorderedItems.Where(each => IsAt(each.Element)).ToArray();
            _order.Clear();
            _order.EnqueueRange(left);
        }
    }

    /// <summary>Those whose turn it is. The device is there.</summary>
    public IEnumerable<(JobId Job, TCaller Caller)> Next(TimeSpan now)
    {
        while (_onTheWay.Count < atOnce && _order.TryDequeue(out (JobId Job, long Place) first, out _))
        {
            if (IsAt(first) && _waiting.Remove(first.Job, out (TCaller Caller, long) waiting))
            {
                _onTheWay[first.Job] = now;
                yield return (first.Job, waiting.Caller);
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

    private bool IsAt((JobId Job, long Place) place) => _waiting.TryGetValue(place.Job, out (TCaller, long Place) waiting) && waiting.Place == place.Place;
}
