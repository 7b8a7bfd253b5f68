using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Punching;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Questions to ports of a host that nobody has named, because a NAT there gives out another one for each address: predicted ones, or many at random. What answers does so
/// with a question of its own, and is proven by <see cref="PathProber"/> like any address. Who calls this has to know by other means that the host is the other side's.
/// </summary>
internal sealed class PortGuesser(IEntropy? entropy)
{
    /// <summary>In <see cref="BudgetTime"/>, whatever is called for.</summary>
    public const int ProbesMax = PortSteps.ProbesMax;

    public static readonly TimeSpan BudgetTime = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan Pace = PortSteps.Pace;

    private readonly byte[] _challenge = new byte[PathFrame.DataBytes];
    private readonly Queue<IPEndPoint> _targets = new();
    private TimeSpan _firstAt;
    private int _spent;
    private TimeSpan _lastAt = TimeSpan.MinValue;

    public TimeSpan NextTimeout { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Questions put since the start.</summary>
    public long Probes { get; private set; }

    /// <summary>In this order, from <paramref name="at"/> on; what was left of an earlier call is not asked any more.</summary>
    public void Begin(IEnumerable<IPEndPoint> targets, TimeSpan at)
    {
        _targets.Clear();
        NextTimeout = TimeSpan.MaxValue;
        if (entropy is null)
        {
            return;
        }

        if (_spent > 0 && at - _firstAt >= BudgetTime)
        {
            _spent = 0;
        }

        foreach (IPEndPoint target in targets.Where(PathProber.IsUsable).Take(ProbesMax - _spent))
        {
            _targets.Enqueue(target);
        }

        if (_targets.Count > 0)
        {
            NextTimeout = _lastAt != TimeSpan.MinValue && _lastAt + Pace > at ? _lastAt + Pace : at;
        }
    }

    public bool TryNext(TimeSpan now, out IPEndPoint to, out ReadOnlySpan<byte> data)
    {
        if (now < NextTimeout || !_targets.TryDequeue(out IPEndPoint? target))
        {
            to = null!;
            data = default;
            return false;
        }

        // Bytes that nobody remembers: an answer to them proves nothing, the question that comes with it is what counts.
        entropy!.Fill(_challenge);
        _firstAt = _spent == 0 ? now : _firstAt;
        _spent++;
        Probes++;
        _lastAt = now;
        NextTimeout = _targets.Count > 0 ? now + Pace : TimeSpan.MaxValue;
        to = target;
        data = _challenge;
        return true;
    }

    public void Stop()
    {
        _targets.Clear();
        NextTimeout = TimeSpan.MaxValue;
    }
}
