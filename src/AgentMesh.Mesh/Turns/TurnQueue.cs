using System.Globalization;

namespace AgentMesh.Mesh.Turns;

/// <summary>
/// Who goes next: priority, then the share that has the smallest part of what there is (dominant resource fairness), then who was served longest ago, then age.
/// Not thread-safe; knows no clock.
/// </summary>
/// <remarks>
/// Those of one share, owner, priority and need are one line, in which the oldest stands first; only heads of lines are compared, so that ten thousand that
/// wait cost what their lines cost. What the first in order lacks is kept for it: those behind it that want the same wait too, and those that do not go on.
/// </remarks>
/// <param name="placesMax">Turns at the same time, whatever they need.</param>
public sealed class TurnQueue<TKey>(ResourceAmounts capacity, int placesMax, TurnRules rules)
    where TKey : notnull
{
    private const int NamesShown = 5;

    private readonly Dictionary<LineKey, Line> _lines = [];
    private readonly Dictionary<TKey, (Line Line, LinkedListNode<Waiter> Node)> _waiting = [];
    private readonly Dictionary<TKey, TurnRequest<TKey>> _holding = [];
    private readonly Dictionary<string, Share> _shares = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _owners = new(StringComparer.Ordinal);
    private ResourceAmounts _free = capacity;
    private long _served;
    private long _added;

    /// <summary>Turns at the same time. May be changed at any time; who has its turn keeps it.</summary>
    public int PlacesMax { get; set; } = placesMax;

    public int Waiting => _waiting.Count;

    public int Holding => _holding.Count;

    public ResourceAmounts Capacity { get; } = capacity;

    /// <summary>Of everything there is: nothing where more was taken over than there is.</summary>
    public ResourceAmounts Free => _free;

    public bool IsWaiting(TKey key) => _waiting.ContainsKey(key);

    public bool IsHolding(TKey key) => _holding.ContainsKey(key);

    /// <param name="now">Of a clock that never goes back.</param>
    public void Add(TurnRequest<TKey> request, TimeSpan now)
    {
        if (_waiting.ContainsKey(request.Key) || _holding.ContainsKey(request.Key))
        {
            return;
        }

        var lineKey = new LineKey(request.Share, request.Owner, request.Priority, request.Needs);
        if (!_lines.TryGetValue(lineKey, out Line? line))
        {
            _lines[lineKey] = line = new Line(lineKey);
        }

        _waiting[request.Key] = (line, line.Waiters.AddLast(new Waiter(request, now, _added++, line.Ordinal++)));
    }

    /// <summary>It has its turn already, whether or not there is room for it.</summary>
    public void Take(TurnRequest<TKey> request)
    {
        if (_holding.TryAdd(request.Key, request))
        {
            Count(request, 1);
        }
    }

    /// <summary>It does not wait any more, or its turn is over.</summary>
    public void Remove(TKey key)
    {
        if (_waiting.Remove(key, out (Line Line, LinkedListNode<Waiter> Node) place))
        {
            Leave(place.Line, place.Node);
        }
        else if (_holding.Remove(key, out TurnRequest<TKey>? held))
        {
            Count(held, -1);
        }
    }

    /// <summary>Those whose turn begins now, in order.</summary>
    public IReadOnlyList<TKey> Next(TimeSpan now)
    {
        List<TKey> begun = [];
        var kept = new HashSet<string>(StringComparer.Ordinal);
        var passed = new HashSet<Line>();
        while (_holding.Count < PlacesMax && Best(passed, now) is { } line)
        {
            if (IsOwnerFull(line.Key.Owner))
            {
                // Its own limit: nothing is kept from others for it.
                passed.Add(line);
                continue;
            }

            string[] lacking = [.. line.Key.Needs.LackingIn(_free)];
            if (lacking.Length > 0 || line.Key.Needs.Names.Any(kept.Contains))
            {
                kept.UnionWith(lacking);
                passed.Add(line);
                continue;
            }

            TurnRequest<TKey> first = line.Waiters.First!.Value.Request;
            Leave(line, line.Waiters.First);
            _waiting.Remove(first.Key);
            line.PassedSince = now;
            Take(first);
            _shares[first.Share].ServedAt = ++_served;
            begun.Add(first.Key);
        }

        return begun;
    }

    /// <summary>Why it waits, in words that follow "waiting for"; null where it does not.</summary>
    /// <param name="place">Where, for example the name of the device.</param>
    /// <param name="places">What there are a number of, for example "attempts at the same time".</param>
    public string? Explain(TKey key, TimeSpan now, string place, string places)
    {
        if (!_waiting.TryGetValue(key, out (Line Line, LinkedListNode<Waiter> Node) at))
        {
            return null;
        }

        LineKey line = at.Line.Key;
        long before = Before(key, now);
        string queue = before == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {before} before it");
        if (IsOwnerFull(line.Owner))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{places} on {place}: {rules.OwnerMax(line.Owner)} of {rules.OwnerMax(line.Owner)} of its own device are in use{queue}");
        }

        string[] lacking = [.. line.Needs.LackingIn(_free)];
        if (lacking.Length > 0)
        {
            return string.Join(" and ", lacking.Select(name => Used(name, line.Needs[name], place))) + queue;
        }

        if (_holding.Count >= PlacesMax)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{places} on {place}: {_holding.Count} of {PlacesMax} are in use{queue}");
        }

        string[] wanted = [.. line.Needs.Names.Where(name => Ordered(now).TakeWhile(each => each != at.Line).Any(each => each.Key.Needs[name] > 0))];
        return $"{(wanted.Length > 0 ? string.Join(" and ", wanted) : "its turn")} on {place}{queue}";
    }

    /// <summary>How many are before it, at most: some of them may have gone.</summary>
    public long Before(TKey key, TimeSpan now) => _waiting.TryGetValue(key, out (Line Line, LinkedListNode<Waiter> Node) at)
        ? at.Node.Value.Ordinal - at.Line.Waiters.First!.Value.Ordinal + Ordered(now).TakeWhile(each => each != at.Line).Sum(static each => (long)each.Waiters.Count)
        : 0;

    private string Used(string name, long asked, string place)
    {
        TurnRequest<TKey>[] users = [.. _holding.Values.Where(each => each.Needs[name] > 0)];
        string inUse = ResourceAmounts.Shown(name, users.Sum(each => each.Needs[name])), all = ResourceAmounts.Shown(name, Capacity[name]);
        string one = asked == 1_000 ? "" : $" ({ResourceAmounts.Shown(name, asked)} asked for)";
        string more = users.Length > NamesShown ? string.Create(CultureInfo.InvariantCulture, $" and {users.Length - NamesShown} more") : "";
        return $"{name}{one} on {place}: {inUse} of {all} in use by {string.Join(", ", users.Take(NamesShown).Select(each => each.Label))}{more}";
    }

    private Line? Best(HashSet<Line> passed, TimeSpan now)
    {
        Line? best = null;
        foreach (Line line in _lines.Values)
        {
            if (!passed.Contains(line) && (best is null || Compare(line, best, now) < 0))
            {
                best = line;
            }
        }

        return best;
    }

    private IEnumerable<Line> Ordered(TimeSpan now)
    {
        Line[] lines = [.. _lines.Values];
        Array.Sort(lines, (a, b) => Compare(a, b, now));
        return lines;
    }

    /// <summary>Below zero where the first goes first.</summary>
    private int Compare(Line a, Line b, TimeSpan now)
    {
        int byPriority = PriorityOf(b, now).CompareTo(PriorityOf(a, now));
        if (byPriority != 0)
        {
            return byPriority;
        }

        (double Part, long ServedAt) x = StandingOf(a.Key.Share), y = StandingOf(b.Key.Share);
        int byShare = x.Part.CompareTo(y.Part);
        byShare = byShare != 0 ? byShare : x.ServedAt.CompareTo(y.ServedAt);
        return byShare != 0 ? byShare : a.Waiters.First!.Value.Added.CompareTo(b.Waiters.First!.Value.Added);
    }

    private int PriorityOf(Line line, TimeSpan now)
    {
        // A line whose heads go on is not passed over, however long it is.
        TimeSpan since = line.Waiters.First!.Value.Since;
        TimeSpan passed = now - (line.PassedSince > since ? line.PassedSince : since);
        return line.Key.Priority + (int)Math.Clamp(passed / rules.AgeStep, 0, 1_000_000);
    }

    private (double Part, long ServedAt) StandingOf(string name)
    {
        if (!_shares.TryGetValue(name, out Share? share))
        {
            return (0, 0);
        }

        double part = share.Count / (double)Math.Max(1, PlacesMax);
        foreach ((string resource, long used) in share.Used.Thousandths)
        {
            part = Math.Max(part, used / (double)Math.Max(1, Capacity[resource]));
        }

        return (part, share.ServedAt);
    }

    private bool IsOwnerFull(string owner) => rules.OwnerMax(owner) is { } most && _owners.GetValueOrDefault(owner) >= most;

    private void Count(TurnRequest<TKey> request, int sign)
    {
        if (!_shares.TryGetValue(request.Share, out Share? share))
        {
            _shares[request.Share] = share = new Share();
        }

        share.Count += sign;
        share.Used = sign > 0 ? share.Used.Plus(request.Needs) : share.Used.Minus(request.Needs);
        int owned = _owners.GetValueOrDefault(request.Owner) + sign;
        if (owned == 0)
        {
            _owners.Remove(request.Owner);
        }
        else
        {
            _owners[request.Owner] = owned;
        }

        // From what is held: what was taken over may be more than there is, and must not be given back as if it had been there.
        _free = sign > 0 ? _free.Minus(request.Needs) : Recounted();
        ForgetShares();
    }

    private ResourceAmounts Recounted()
    {
        ResourceAmounts used = _holding.Values.Aggregate(ResourceAmounts.None, static (sum, each) => sum.Plus(each.Needs));
        return Capacity.Minus(used);
    }

    private void Leave(Line line, LinkedListNode<Waiter> node)
    {
        line.Waiters.Remove(node);
        if (line.Waiters.Count == 0)
        {
            _lines.Remove(line.Key);
        }
    }

    /// <summary>Shares without anything are kept for the order of being served only: the one that was served longest ago is forgotten first.</summary>
    private void ForgetShares()
    {
        const int KeptMax = 1_000;
        if (_shares.Count > KeptMax + _holding.Count)
        {
            foreach (string name in _shares.Where(static each => each.Value.Count == 0).OrderBy(static each => each.Value.ServedAt).Take(KeptMax / 2).Select(static each => each.Key).ToArray())
            {
                _shares.Remove(name);
            }
        }
    }

    private readonly record struct LineKey(string Share, string Owner, int Priority, ResourceAmounts Needs);

    private readonly record struct Waiter(TurnRequest<TKey> Request, TimeSpan Since, long Added, long Ordinal);

    private sealed class Line(LineKey key)
    {
        public LineKey Key => key;

        public LinkedList<Waiter> Waiters { get; } = [];

        public long Ordinal { get; set; }

        /// <summary>When one of it was served last.</summary>
        public TimeSpan PassedSince { get; set; }
    }

    private sealed class Share
    {
        public int Count { get; set; }

        public ResourceAmounts Used { get; set; } = ResourceAmounts.None;

        /// <summary>Higher is later.</summary>
        public long ServedAt { get; set; }
    }
}
