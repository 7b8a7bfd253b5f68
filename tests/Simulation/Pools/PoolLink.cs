using Simulation.Engine;

namespace Simulation.Pools;

/// <summary>The way of a device to the database. What is sent over it while it is cut arrives when it is whole again, as over TCP, unless the connection was reset.</summary>
internal sealed class PoolLink(SimLoop loop)
{
    private readonly List<Action> _held = [];

    public bool IsCut { get; private set; }

    /// <summary>Share of what is sent that is late by seconds.</summary>
    public double Late { get; set; }

    /// <summary>Share of what is asked, and of what is answered, whose connection is reset: it is done or will be, and nobody is told.</summary>
    public double Lost { get; set; }

    /// <summary>
    /// So many commits are not answered from now on, and a proxy before the database carries their transactions out again by itself: what it repeats may be stored already, or be of an owner that is none any more.
    /// </summary>
    public int Repeats { get; set; }

    /// <summary>What becomes of the next transaction when it comes to the database; null for what it is sent for.</summary>
    public Action<PoolTransaction, Action>? Waylay { get; set; }

    public void Cut() => IsCut = true;

    /// <param name="isReset">What was under way is lost.</param>
    public void Heal(bool isReset)
    {
        IsCut = false;
        Action[] held = [.. _held];
        _held.Clear();
        foreach (Action arrive in isReset ? [] : held)
        {
            arrive();
        }
    }

    /// <summary>The transaction has come to the database.</summary>
    public void Arrive(PoolTransaction transaction, Action begin)
    {
        if (Waylay is { } waylay)
        {
            Waylay = null;
            waylay(transaction, begin);
        }
        else
        {
            begin();
        }
    }

    /// <param name="owner">Who receives it; null for the server.</param>
    /// <param name="connection">What goes over the same connection does not overtake; null where it has one of its own.</param>
    /// <param name="isSlow">It takes up to some seconds.</param>
    public void Send(SimProcess? owner, Action arrived, PoolConnection? connection = null, bool isSlow = false)
    {
        TimeSpan due = loop.Now + (loop.Chance(Late) ? loop.Between(3, 12) : isSlow ? loop.Between(0.5, 4) : loop.Between(0.0002, 0.004));
        if (connection is not null)
        {
            due = connection.Last = due > connection.Last ? due : connection.Last;
        }

        loop.After(due - loop.Now, owner, () =>
        {
            if (IsCut)
            {
                _held.Add(() => loop.After(TimeSpan.Zero, owner, arrived));
            }
            else
            {
                arrived();
            }
        });
    }
}

/// <summary>When the last thing that was sent over it arrives.</summary>
internal sealed class PoolConnection
{
    public TimeSpan Last { get; set; }
}
