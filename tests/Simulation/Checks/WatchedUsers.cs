namespace Simulation.Checks;

/// <summary>The turns of the users of a group, as one life of it has given them: whose turns the holders have that it has found in its journal, it does not know.</summary>
internal sealed class WatchedUsers
{
    private readonly Dictionary<string, string> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _servedAt = new(StringComparer.Ordinal);
    private long _turns;

    public void Serve(string job, string user)
    {
        _holders[job] = user;
        _servedAt[user] = ++_turns;
    }

    public void Return(string job) => _holders.Remove(job);

    public void Forget()
    {
        _holders.Clear();
        _servedAt.Clear();
    }

    public int Held(string user) => _holders.Values.Count(each => each == user);

    /// <summary>Whether the first goes before the second at the same priority: it has fewer turns, or as many and was served longer ago. Neither does where neither was served.</summary>
    public bool IsBefore(string user, string other)
    {
        int held = Held(user), others = Held(other);
        return held < others || (held == others && _servedAt.GetValueOrDefault(user) < _servedAt.GetValueOrDefault(other));
    }
}
