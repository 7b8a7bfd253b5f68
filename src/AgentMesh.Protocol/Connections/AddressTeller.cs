using System.Net;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>Tells the other side from where its packets seem to come, whenever that has changed.</summary>
/// <param name="isWanted">The other side takes it.</param>
internal sealed class AddressTeller(bool isWanted)
{
    private ulong _sequence;

    public bool IsPending { get; private set; }

    public ObservedAddressFrame Frame { get; private set; }

    /// <summary>The other side has proven to be here. What comes by relays says nothing about where it is.</summary>
    public void IsAt(IPEndPoint remote)
    {
        IPEndPoint plain = SpareAddress.Plain(remote);
        if (isWanted && !RelayAddress.IsRelay(remote) && !IPAddress.IsLoopback(remote.Address) && !plain.Equals(Frame.Address))
        {
            Frame = new ObservedAddressFrame(_sequence++, plain);
            IsPending = true;
        }
    }

    public void Sent() => IsPending = false;

    public void Lost(ulong sequence) => IsPending |= sequence == Frame.Sequence;
}
