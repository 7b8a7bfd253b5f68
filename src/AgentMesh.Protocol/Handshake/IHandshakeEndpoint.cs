using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// All handshakes of one device, in both directions, without a socket, a timer or a thread. One owner calls it; after every call the owner sends what
/// <see cref="TryTransmit"/> gives, takes what <see cref="TryReadEvent"/> gives and sets its timer to <see cref="NextWakeUp"/>.
/// <code>
/// datagram kind        goes to
/// Packet               the connection with that destination id, else TryConfirm
/// Initiation, Response, CookieReply   HandleDatagram
/// </code>
/// </summary>
public interface IHandshakeEndpoint : IDisposable
{
    /// <summary>
    /// Opens towards a device at all of these addresses at once; more addresses for an attempt under way are added to it. Ends with one
    /// <see cref="SessionEstablished"/> or <see cref="AttemptFailed"/> unless <see cref="Cancel"/> comes first.
    /// </summary>
    /// <param name="invitation">The secret of the link when this device is joining by one; else default.</param>
    /// <param name="repeatMax">Initiations follow each other by no more than this; null: <see cref="HandshakeSettings.RetransmitMax"/>.</param>
    /// <returns>False when too many attempts are under way.</returns>
    bool TryConnect(DevicePublicKey remote, IReadOnlyList<IPEndPoint> addresses, InvitationSecret invitation, MeshInstant now, TimeSpan? repeatMax = null);

    /// <summary>Forgets the attempt without an event.</summary>
    void Cancel(DevicePublicKey remote);

    /// <summary>Takes an initiation, a response or a cookie reply. Never throws for bytes.</summary>
    HandshakeOutcome HandleDatagram(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now);

    /// <summary>
    /// A packet whose destination is no connection's: true when it is the first authentic packet of an answered initiation. <see cref="SessionEstablished"/> is
    /// then the next event, and the very same packet goes to the new connection, which opens it again. The datagram is left as it is. False otherwise; where it is a packet
    /// of a session that this device has forgotten, the answer to it is the next to be sent.
    /// </summary>
    bool TryConfirm(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now);

    /// <summary>Retransmits, renews, gives up.</summary>
    void HandleTimeout(MeshInstant now);

    /// <summary>On <see cref="MeshInstant.Monotonic"/>; null when nothing is under way.</summary>
    TimeSpan? NextWakeUp { get; }

    /// <summary>The next datagram to send, written to <paramref name="buffer"/> (at least <see cref="HandshakeEndpoint.MaxDatagramBytes"/>). False when there is none.</summary>
    bool TryTransmit(Span<byte> buffer, out HandshakeTransmit transmit);

    bool TryReadEvent(out HandshakeEvent? happened);
}
