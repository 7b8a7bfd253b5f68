using System.Net;

namespace AgentMesh.Transport.Relaying;

/// <summary>Passes on datagrams between others: what makes an endpoint that of a beacon.</summary>
public interface IRelay
{
    /// <summary>Takes a relayed datagram, with its envelope, on the receiving thread; the bytes may be changed and are the caller's again afterwards.</summary>
    void Relay(Span<byte> envelope, IPEndPoint from);
}
