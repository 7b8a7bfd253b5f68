using System.Net;
using System.Net.Sockets;
using Simulation.Engine;

namespace Simulation.Reach.Net;

/// <summary>
/// Hosts behind NATs of their own, an internet that carries datagrams between their outside addresses, and a clock that only moves when there is nothing left to do.
/// What is under way to a place that a host has left arrives nowhere.
/// </summary>
internal sealed class SimInternet
{
    // IP and UDP headers.
    private const int HeaderBytes4 = 28, HeaderBytes6 = 48;

    // Work without any progress of the clock: somebody runs in circles.
    private const int StepsAtOneMomentMax = 10_000;

    private static readonly DateTimeOffset Wall = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<NetHost> _hosts = [];
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _due = new();
    private long _order;
    private int _stepsAtOneMoment;

    public SimInternet(Random random)
    {
        Random = random;
        Links = new SimLinks(this);
    }

    public Random Random { get; }

    public IReadOnlyList<NetHost> Hosts => _hosts;

    /// <summary>Told what happens, for a person who looks for the cause of a failure.</summary>
    public Action<string>? Told { get; init; }

    public void Tell(string what) => Told?.Invoke($"{Now.TotalSeconds - 1000:0.000} s: {what}");

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1000);

    public DateTimeOffset WallNow => Wall + Now;

    public long Datagrams { get; private set; }

    /// <summary>Chance that a datagram is lost.</summary>
    public double Loss { get; set; }

    public int Mtu { get; set; } = 1500;

    /// <summary>What else swallows a datagram between two hosts, with the bytes of its IP packet.</summary>
    public Func<NetHost, NetHost, int, bool> Swallows { get; set; } = (_, _, _) => false;

    /// <summary>Local networks.</summary>
    public SimLinks Links { get; }

    public void Add(NetHost host) => _hosts.Add(host);

    public void At(TimeSpan at, Action action) => _due.Enqueue(action, (at, _order++));

    public void After(TimeSpan delay, Action action) => At(Now + delay, action);

    public void Send(NetHost from, ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        Datagrams++;
        if (Links.TrySend(from, datagram, to))
        {
            return;
        }

        int packet = datagram.Length + (to.AddressFamily == AddressFamily.InterNetworkV6 ? HeaderBytes6 : HeaderBytes4);
        IPEndPoint? seen = from.Leave(to);
        if (seen is null || packet > Mtu || Random.NextDouble() < Loss || from.Queue(datagram.Length, Now) is not { } leaves)
        {
            return;
        }

        byte[] copy = datagram.ToArray();
        if (from.IsAt(to.Address))
        {
            return; // no box here turns back what comes from inside
        }

        // Several homes may share an outside address; the box knows whose the port is.
        foreach (NetHost target in _hosts.Where(host => host != from && host.IsAt(to.Address)))
        {
            if (!Swallows(from, target, packet))
            {
                At(leaves + from.Delay + target.Delay, () => target.Arrive(copy, seen, to));
            }
        }
    }

    public void Run(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Until(() => false, time);
        Now = end;
    }

    /// <returns>How long it took; null when it did not happen in time.</returns>
    public TimeSpan? Until(Func<bool> reached, TimeSpan limit)
    {
        TimeSpan start = Now, end = Now + limit;
        _hosts.ForEach(host => host.Work());
        while (!reached())
        {
            TimeSpan next = _due.TryPeek(out _, out (TimeSpan At, long) first) ? first.At : TimeSpan.MaxValue;
            foreach (NetHost host in _hosts)
            {
                TimeSpan wake = host.NextWakeUp;
                next = wake < next ? wake : next;
            }

            if (next > end)
            {
                Now = end;
                return null;
            }

            _stepsAtOneMoment = next > Now ? 0 : _stepsAtOneMoment + 1;
            if (_stepsAtOneMoment > StepsAtOneMomentMax)
            {
                throw new RuleBrokenException($"{Now.TotalSeconds - 1000:0.000} s: somebody asks to be woken again and again");
            }

            Now = next > Now ? next : Now;
            while (_due.TryPeek(out _, out first) && first.At <= Now)
            {
                _due.Dequeue()();
            }

            _hosts.ForEach(host => host.Work());
        }

        return Now - start;
    }
}
