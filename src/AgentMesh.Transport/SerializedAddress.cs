using System.Net;

namespace AgentMesh.Transport;

/// <summary>The address that was sent to last, as the operating system wants it, so that it is not made anew for every datagram.</summary>
internal struct SerializedAddress(IPEndPoint address)
{
    private IPEndPoint _address = address;
    private SocketAddress _serialized = address.Serialize();

    public SocketAddress Of(IPEndPoint address)
    {
        if (!ReferenceEquals(address, _address))
        {
            _address = address;
            _serialized = address.Serialize();
        }

        return _serialized;
    }
}
