namespace Akka.Actor.Internal;

/// <summary>Why a cell waits for its children to end.</summary>
internal abstract record WaitReason
{
    internal sealed record Recreation(Exception Cause) : WaitReason;

    internal sealed record Termination : WaitReason;

    /// <summary>The actor stopped children and goes on.</summary>
    internal sealed record UserRequest : WaitReason;
}

/// <summary>
/// The children of a cell by name. The cell changes it; a guardian's also changes when actors are made from outside, and lookups come
/// from any thread, so every access holds the lock.
/// </summary>
internal sealed class Children
{
    private readonly object _gate = new();
    private readonly Dictionary<string, IChildStats> _byName = new(StringComparer.Ordinal);
    private HashSet<IActorRef>? _dying;
    private WaitReason? _reason;
    private bool _closed;

    public bool IsTerminating
    {
        get
        {
            lock (_gate)
                return _closed || _reason is WaitReason.Termination;
        }
    }

    /// <summary>True when the cell is not waiting for children in order to restart or to end.</summary>
    public bool IsNormal
    {
        get
        {
            lock (_gate)
                return !_closed && _reason is null or WaitReason.UserRequest;
        }
    }

    public bool IsWaiting
    {
        get
        {
            lock (_gate)
                return _reason is WaitReason.Recreation or WaitReason.Termination;
        }
    }

    public int Count
    {
        get
        {
            lock (_gate)
                return _byName.Count;
        }
    }

    /// <exception cref="InvalidActorNameException">The name is taken.</exception>
    /// <exception cref="InvalidOperationException">The cell is ending or has ended.</exception>
    public void Reserve(string name, ActorPath owner)
    {
        lock (_gate)
        {
            if (_closed || _reason is WaitReason.Termination)
                throw new InvalidOperationException($"{owner} is ending and cannot have a new child '{name}'");
            if (!_byName.TryAdd(name, ChildNameReserved.Instance))
                throw new InvalidActorNameException($"Actor name \"{name}\" is not unique below {owner}!");
        }
    }

    public void Unreserve(string name)
    {
        lock (_gate)
        {
            if (_byName.TryGetValue(name, out IChildStats? stats) && stats is ChildNameReserved)
                _byName.Remove(name);
        }
    }

    public void Add(string name, ChildRestartStats stats)
    {
        lock (_gate)
            _byName[name] = stats;
    }

    public bool TryGetByName(string name, out IChildStats stats)
    {
        lock (_gate)
            return _byName.TryGetValue(name, out stats!);
    }

    public bool TryGetByRef(IActorRef child, out ChildRestartStats stats)
    {
        lock (_gate)
        {
            stats = null!;
            if (!_byName.TryGetValue(child.Path.Name, out IChildStats? found) || found is not ChildRestartStats known || !known.Child.Equals(child))
                return false;
            stats = known;
            return true;
        }
    }

    public IReadOnlyList<ChildRestartStats> All()
    {
        lock (_gate)
            return _byName.Count == 0 ? [] : _byName.Values.OfType<ChildRestartStats>().ToArray();
    }

    /// <summary>Notes that a child was told to stop.</summary>
    public void ShallDie(IActorRef child)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            (_dying ??= []).Add(child);
            _reason ??= new WaitReason.UserRequest();
        }
    }

    /// <summary>Sets why the cell waits for the children that were told to stop.</summary>
    /// <returns>False when none of them is left: there is nothing to wait for.</returns>
    public bool WaitFor(WaitReason reason)
    {
        lock (_gate)
        {
            if (_dying is null || _dying.Count == 0)
                return false;
            _reason = reason;
            return true;
        }
    }

    /// <summary>Takes out a child that has ended.</summary>
    /// <returns>What the cell waited for when this was the last one, else null.</returns>
    public WaitReason? Remove(IActorRef child)
    {
        lock (_gate)
        {
            if (_byName.TryGetValue(child.Path.Name, out IChildStats? found) && found is ChildRestartStats known && known.Child.Equals(child))
                _byName.Remove(child.Path.Name);
            if (_dying is null)
                return null;
            _dying.Remove(child);
            if (_dying.Count > 0)
                return null;
            WaitReason? reason = _reason;
            _dying = null;
            _reason = null;
            if (reason is WaitReason.Termination)
                _closed = true;
            return reason;
        }
    }

    public void Close()
    {
        lock (_gate)
            _closed = true;
    }
}
