using System.Runtime.CompilerServices;

namespace AgentMesh.Node.Reach;

/// <summary>
/// When those are asked again that do not relay. Soon at first, since a relay may learn within seconds that it can be reached, then less and less often: it may be told not to, or be of a version that
/// cannot. Each connection begins anew. Thread-safe; holds nothing of connections that are gone.
/// </summary>
internal sealed class RelayRefusals(TimeProvider time)
{
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2)];

    private readonly ConditionalWeakTable<object, Refusal> _refused = [];

    /// <param name="connection">To the one that did not relay.</param>
    public void Add(object connection)
    {
        Refusal refusal = _refused.GetOrCreateValue(connection);
        lock (refusal)
        {
            refusal.At = time.GetTimestamp();
            refusal.Count++;
        }
    }

    public bool MayAsk(object connection)
    {
        if (!_refused.TryGetValue(connection, out Refusal? refusal))
        {
            return true;
        }

        lock (refusal)
        {
            return time.GetElapsedTime(refusal.At) >= Waits[Math.Min(refusal.Count, Waits.Length) - 1];
        }
    }

    private sealed class Refusal
    {
        public long At { get; set; }

        public int Count { get; set; }
    }
}
