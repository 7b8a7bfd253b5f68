using AgentMesh.Protocol.Handshake;

namespace AgentMesh.Transport;

/// <summary>Counts from several threads.</summary>
internal sealed class EndpointCounting
{
    private long _received;
    private long _sent;
    private long _malformed;
    private long _strangers;
    private long _refused;
    private long _unknown;
    private long _notAuthentic;
    private long _sendFailures;
    private long _unknownChannels;

    public void Received(int count) => Interlocked.Add(ref _received, count);

    public void Sent(int count, bool succeeded) => Interlocked.Add(ref succeeded ? ref _sent : ref _sendFailures, count);

    public void Unknown() => Interlocked.Increment(ref _unknown);

    /// <summary>Relayed, but not by the beacon that opened the channel, or of none.</summary>
    public void UnknownChannel() => Interlocked.Increment(ref _unknownChannels);

    public void NotAuthentic(long count) => Interlocked.Add(ref _notAuthentic, count);

    public void Handshake(HandshakeOutcome outcome)
    {
        switch (outcome)
        {
            case HandshakeOutcome.Malformed:
                Interlocked.Increment(ref _malformed);
                break;
            case HandshakeOutcome.Stranger:
                Interlocked.Increment(ref _strangers);
                break;
            case HandshakeOutcome.Refused or HandshakeOutcome.Replayed or HandshakeOutcome.Limited:
                Interlocked.Increment(ref _refused);
                break;
        }
    }

    /// <param name="resets">Counted by the handshakes.</param>
    public MeshEndpointCounters Read(long resets) => new(
        Interlocked.Read(ref _received),
        Interlocked.Read(ref _sent),
        Interlocked.Read(ref _malformed),
        Interlocked.Read(ref _strangers),
        Interlocked.Read(ref _refused),
        Interlocked.Read(ref _unknown),
        Interlocked.Read(ref _notAuthentic),
        Interlocked.Read(ref _sendFailures),
        Interlocked.Read(ref _unknownChannels),
        resets);
}
