using System.Net;

namespace AgentMesh.Protocol.Connections;

/// <summary>How many questions each address may get that has not answered any. Bounded: when too many addresses are remembered, further ones get none until the time of some is over.</summary>
internal sealed class QuestionAllowance
{
    public const int RememberedMax = 128;

    private readonly Dictionary<IPEndPoint, (int Spent, TimeSpan FirstAt)> _spent = [];

    public bool TryTake(IPEndPoint address, TimeSpan now)
    {
        (int spent, TimeSpan firstAt) = _spent.GetValueOrDefault(address, (0, now));
        if (now - firstAt >= PathProber.BudgetTime)
        {
            (spent, firstAt) = (0, now);
        }

        if (spent >= PathProber.ProbesMax || (spent == 0 && !HasRoom(address, now)))
        {
            return false;
        }

        _spent[address] = (spent + 1, firstAt);
        return true;
    }

    /// <summary>It has answered.</summary>
    public void Proven(IPEndPoint address) => _spent.Remove(address);

    private bool HasRoom(IPEndPoint address, TimeSpan now)
    {
        if (_spent.Count < RememberedMax || _spent.ContainsKey(address))
        {
            return true;
        }

        foreach ((IPEndPoint each, (_, TimeSpan firstAt)) in _spent)
        {
            if (now - firstAt >= PathProber.BudgetTime)
            {
                _spent.Remove(each);
            }
        }

        return _spent.Count < RememberedMax;
    }
}
