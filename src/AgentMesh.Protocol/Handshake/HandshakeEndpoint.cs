using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <inheritdoc cref="IHandshakeEndpoint"/>
public sealed class HandshakeEndpoint : IHandshakeEndpoint
{
    /// <summary>What a connection may tell the other side during the handshake.</summary>
    public const int ParametersBytes = 32;

    /// <summary>In the parameters: the secret of the connection id that the other side sends to, 16 bytes; zeros where there is none.</summary>
    public const int ResetTokenOffset = 14;

    /// <summary>No handshake datagram is longer.</summary>
    public const int MaxDatagramBytes = InitiationMessage.Size;

    private readonly LocalSide _local;
    private readonly Outbox _outbox = new();
    private readonly Initiator _initiator;
    private readonly Responder _responder;
    private readonly ForgottenSessions _forgotten;

    /// <param name="parameters">Up to <see cref="ParametersBytes"/> bytes, sent to admitted devices only, padded with zeros; those of the secret are written over.</param>
    public HandshakeEndpoint(
        DeviceIdentity identity, IAdmission admission, HandshakeSettings settings, InitiationStamps stamps, ReadOnlySpan<byte> parameters, IEntropy entropy)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parameters.Length, ParametersBytes);
        byte[] padded = new byte[ParametersBytes];
        parameters.CopyTo(padded);
        Span<byte> instance = stackalloc byte[sizeof(ulong)];
        entropy.Fill(instance);
        _local = new LocalSide(identity, settings, padded, BinaryPrimitives.ReadUInt64BigEndian(instance), entropy);
        _initiator = new Initiator(_local, stamps, _outbox);
        _responder = new Responder(_local, admission, _outbox, _initiator.OpeningSince);
        _forgotten = new ForgottenSessions(_local.ConnectionIds, _outbox, id => _initiator.Uses(id) || _responder.HalfOpen.Contains(id));
    }

    public TimeSpan? NextWakeUp => (_initiator.NextWakeUp, _responder.HalfOpen.NextExpiry) switch
    {
        ({ } opening, { } expiry) => opening < expiry ? opening : expiry,
        (var opening, var expiry) => opening ?? expiry,
    };

    /// <summary>Packets of forgotten sessions that were answered.</summary>
    public long Resets => _forgotten.Answers;

    internal int HalfOpenCount => _responder.HalfOpen.Count;

    public bool TryConnect(DevicePublicKey remote, IReadOnlyList<IPEndPoint> addresses, InvitationSecret invitation, MeshInstant now, TimeSpan? repeatMax = null) =>
        _initiator.TryConnect(remote, addresses, invitation, now, repeatMax);

    public void Cancel(DevicePublicKey remote) => _initiator.Cancel(remote);

    public HandshakeOutcome HandleDatagram(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now)
    {
        _responder.HalfOpen.Expire(now.Monotonic);
        switch (Datagrams.KindOf(datagram))
        {
            case DatagramKind.Initiation:
                return _responder.HandleInitiation(datagram, from, now);
            case DatagramKind.CookieReply:
                return _initiator.HandleCookieReply(datagram);
            case DatagramKind.Response:
                HandshakeOutcome outcome = _initiator.HandleResponse(datagram, from, now.Monotonic, out EstablishedSession? session);
                if (session is not null)
                {
                    OpenedByThisSide(session);
                }

                return outcome;
            default:
                return HandshakeOutcome.Malformed;
        }
    }

    public bool TryConfirm(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now)
    {
        EstablishedSession? session = _responder.TryConfirm(datagram, from, now);
        if (session is null)
        {
            if (_local.Settings.AnswersForgotten)
            {
                _forgotten.Answer(datagram, from, now.Monotonic);
            }

            return false;
        }

        _initiator.Cancel(session.RemoteKey);
        Establish(session);
        return true;
    }

    public void HandleTimeout(MeshInstant now)
    {
        _responder.HalfOpen.Expire(now.Monotonic);
        _initiator.HandleTimeout(now);
    }

    public bool TryTransmit(Span<byte> buffer, out HandshakeTransmit transmit) => _outbox.TryTransmit(buffer, out transmit);

    public bool TryReadEvent(out HandshakeEvent? happened) => _outbox.TryRead(out happened);

    public void Dispose()
    {
        _initiator.Dispose();
        _responder.HalfOpen.Clear();
    }

    private void OpenedByThisSide(EstablishedSession session)
    {
        // The preferred side decides which of two simultaneous handshakes counts; the other one follows.
        if (SimultaneousOpen.Prefers(_local.Identity.PublicKey, session.RemoteKey))
        {
            _responder.HalfOpen.DropAllOf(session.RemoteKey);
        }

        Establish(session);
    }

    private void Establish(EstablishedSession session)
    {
        _forgotten.Began(session.LocalConnectionId, session.EstablishedAt);
        _outbox.Raise(new SessionEstablished(session));
    }
}
