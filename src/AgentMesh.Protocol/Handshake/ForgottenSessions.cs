using System.Net;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// Answers packets of sessions that this device had before it was started again, so that the other side does not have to find out by silence. Strangers get no answer: they
/// do not know an id that was ever given out. Nor does anybody get one for an id that may be in use: with that answer he could end the session.
/// </summary>
/// <param name="isPending">A handshake under way has given the id out.</param>
internal sealed class ForgottenSessions(OwnConnectionIds ids, Outbox outbox, Func<ConnectionId, bool> isPending)
{
    // Packets of one session that wait in the network, or a transfer, need one answer and not a hundred.
    private static readonly TimeSpan Once = TimeSpan.FromMilliseconds(100);

    // A session that just began may not be in its owner's table yet. No more can begin in that time.
    private static readonly TimeSpan YoungTime = TimeSpan.FromSeconds(10);
    private const int YoungMax = 65_536;

    // What a beacon with ten thousand devices has to answer in the first seconds.
    private const int Burst = 2_048, PerSecond = 1_024;

    private readonly TokenBucket _allowance = new(Burst, PerSecond);
    private readonly HashSet<ConnectionId> _answered = [];
    private readonly HashSet<ConnectionId> _young = [];
    private readonly Queue<(ConnectionId Id, TimeSpan At)> _byAge = new();
    private TimeSpan _answeredSince;

    public long Answers { get; private set; }

    /// <summary>A session of this process begins.</summary>
    public void Began(ConnectionId id, TimeSpan now)
    {
        Age(now);
        if (_young.Add(id))
        {
            _byAge.Enqueue((id, now));
        }
    }

    /// <summary>A packet came that belongs to nothing.</summary>
    public void Answer(ReadOnlySpan<byte> datagram, IPEndPoint from, TimeSpan now)
    {
        if (!PacketLayout.TryReadDestination(datagram, out ConnectionId id) || !ids.IsOwn(id) || isPending(id))
        {
            return;
        }

        Age(now);
        if (now - _answeredSince >= Once)
        {
            _answered.Clear();
            _answeredSince = now;
        }

        if (!_young.Contains(id) && !_answered.Contains(id) && _allowance.TryTake(now))
        {
            _answered.Add(id);
            Answers++;
            outbox.Send(from, ResetMessage.Write(id, ids));
        }
    }

    private void Age(TimeSpan now)
    {
        while (_byAge.TryPeek(out (ConnectionId Id, TimeSpan At) oldest) && (now - oldest.At >= YoungTime || _byAge.Count >= YoungMax))
        {
            _byAge.Dequeue();
            _young.Remove(oldest.Id);
        }
    }
}
