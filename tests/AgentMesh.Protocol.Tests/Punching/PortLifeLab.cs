using System.Net;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Tests.Connections;

namespace AgentMesh.Protocol.Tests.Punching;

/// <summary>A search behind a NAT, the observer that it asks, and a network between them that delays and loses. In virtual time.</summary>
/// <param name="delay">In each direction.</param>
internal sealed class PortLifeLab(ShortNat nat, TimeSpan delay, double loss, Random random, TimeSpan start)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _flying = new();
    private readonly TimeSpan _start = start;
    private long _order;

    public PortLifeSearch Search { get; } = new(start);

    public TimeSpan Now { get; private set; } = start;

    /// <summary>One of the version before knows no other port than the one that a question comes from.</summary>
    public bool IsOldObserver { get; init; }

    /// <summary>The observer answers nobody.</summary>
    public bool IsAway { get; set; }

    public int Questions { get; private set; }

    /// <summary>When it was first known how long ports live at most.</summary>
    public TimeSpan? KnownAfter { get; private set; }

    public void RunTo(TimeSpan end)
    {
        while (true)
        {
            Ask();
            KnownAfter ??= Search.Result.Dies is null ? null : Now - _start;
            TimeSpan next = _flying.TryPeek(out _, out (TimeSpan At, long) first) ? first.At : TimeSpan.MaxValue;
            next = Search.NextWakeUp is { } wake && wake < next ? wake : next;
            if (next > end)
            {
                Now = end;
                return;
            }

            Now = next > Now ? next : Now;
            while (_flying.TryPeek(out _, out first) && first.At <= Now)
            {
                _flying.Dequeue()();
            }
        }
    }

    /// <summary>The socket of a port; 0 is the usual one.</summary>
    public static ushort SocketOf(int port) => (ushort)(1_000 + port);

    private void Ask()
    {
        while (Search.TryAsk(Now, out PortQuestion question))
        {
            Questions++;
            IPEndPoint seen = nat.Out(question.Kind == PortQuestionKind.Open ? SocketOf(question.Port) : (ushort)0, Now);
            Fly(() => Observe(question, seen));
        }
    }

    private void Observe(PortQuestion question, IPEndPoint seen)
    {
        if (IsAway || (IsOldObserver && question.Kind == PortQuestionKind.Reach))
        {
            return;
        }

        IPEndPoint to = question.Kind == PortQuestionKind.Reach ? new IPEndPoint(seen.Address, question.AnswerTo) : seen;
        Fly(() =>
        {
            ushort wanted = question.Kind == PortQuestionKind.Control ? (ushort)0 : SocketOf(question.Port);
            if (nat.In(to, Now) == wanted)
            {
                Search.Answered(question, question.Kind == PortQuestionKind.Reach ? question.AnswerTo : seen.Port, Now);
            }
        });
    }

    private void Fly(Action arrive)
    {
        if (random.NextDouble() >= loss)
        {
            _flying.Enqueue(arrive, (Now + delay, _order++));
        }
    }
}
