using System.Net;

namespace AgentMesh.Protocol.Handshake;

/// <summary>Datagrams and events that wait for the owner. When it is full new datagrams are dropped: they count as lost and are repeated.</summary>
internal sealed class Outbox
{
    private const int DatagramsMax = 4096;

    private readonly Queue<(IPEndPoint To, byte[] Bytes)> _datagrams = new();
    private readonly Queue<HandshakeEvent> _events = new();

    public void Send(IPEndPoint to, byte[] bytes)
    {
        if (_datagrams.Count < DatagramsMax)
        {
            _datagrams.Enqueue((to, bytes));
        }
    }

    /// <summary>Bounded by what causes it: one per attempt, one per half-open entry.</summary>
    public void Raise(HandshakeEvent happened) => _events.Enqueue(happened);

    public bool TryTransmit(Span<byte> buffer, out HandshakeTransmit transmit)
    {
        if (!_datagrams.TryDequeue(out (IPEndPoint To, byte[] Bytes) next))
        {
            transmit = default;
            return false;
        }

        next.Bytes.CopyTo(buffer);
        transmit = new HandshakeTransmit(next.To, next.Bytes.Length);
        return true;
    }

    public bool TryRead(out HandshakeEvent? happened) => _events.TryDequeue(out happened);
}
