using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Connections;

/// <summary>Delivers the newest rekey message until it is acknowledged.</summary>
internal sealed class RekeyCarrier(IPacketProtector protector)
{
    private readonly byte[] _message = new byte[RekeyMessage.Size];
    private ulong _number;

    public bool IsPending { get; private set; }

    public ReadOnlySpan<byte> Message => _message;

    /// <summary>Tells the message that was sent from one that took its place.</summary>
    public ulong Number => _number;

    public void Poll(TimeSpan now)
    {
        if (protector.TryWriteRekey(_message, now, out _))
        {
            _number++;
            IsPending = true;
        }
    }

    public void Sent() => IsPending = false;

    public void Lost(ulong number) => IsPending |= number == _number;
}
