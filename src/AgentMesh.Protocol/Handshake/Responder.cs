using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The answering half. Checks go from cheap to dear, and everything that fails one is dropped without a word: layout, first MAC, load and cookie,
/// key agreement, admission, simultaneous open, replay.
/// </summary>
internal sealed class Responder(LocalSide local, IAdmission admission, Outbox outbox, Func<DevicePublicKey, TimeSpan?> openingSince)
{
    private readonly CookieJar _cookies = new(local.Entropy);
    private readonly InitiationGate _gate = new(local.Settings);
    private readonly StampTable _stamps = new();

    public HalfOpenTable HalfOpen { get; } = new(local.Settings);

    public HandshakeOutcome HandleInitiation(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now)
    {
        if (!InitiationMessage.TryReadHeader(datagram, out CipherSuite suite, out ConnectionId remoteId))
        {
            return HandshakeOutcome.Malformed;
        }

        ReadOnlySpan<byte> mac1 = datagram.Slice(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes);
        if (!local.Macs.IsValid(datagram[..InitiationMessage.Mac1Offset], mac1))
        {
            return HandshakeOutcome.Refused;
        }

        UInt128 digest = BinaryPrimitives.ReadUInt128BigEndian(mac1);
        if (HalfOpen.Find(digest) is { } known)
        {
            return Repeat(known, from);
        }

        if (_gate.CountAndCheckLoad(now.Monotonic))
        {
            if (!_cookies.HasValidCookie(datagram, from, now.Monotonic))
            {
                Challenge(suite, remoteId, mac1, from, now.Monotonic);
                return HandshakeOutcome.Challenged;
            }

            if (!_gate.TryTake(from.Address))
            {
                return HandshakeOutcome.Limited;
            }
        }

        Span<byte> ephemeral = stackalloc byte[X25519.KeyBytes];
        local.Entropy.Fill(ephemeral);
        DeviceIdentity me = local.Identity;
        using var noise = new HandshakeState(
            NoisePattern.IKpsk2, suite, isInitiator: false, InitiationMessage.Prologue(datagram), ephemeral, me.AgreementPrivate, me.AgreementPublic, default);
        Span<byte> plain = stackalloc byte[InitiationPayload.Size];
        if (!noise.TryRead(InitiationMessage.Noise(datagram), plain))
        {
            return HandshakeOutcome.Refused;
        }

        InitiationPayload payload = InitiationPayload.Read(plain);
        HandshakeOutcome verdict = Judge(payload, noise.RemoteStatic, now, out InvitationLookup invitation);
        return verdict == HandshakeOutcome.Accepted
            ? Answer(noise, suite, payload, invitation, new Origin(remoteId, from, digest), now)
            : verdict;
    }

    /// <summary>The first authentic packet of a half-open entry makes it a session.</summary>
    public EstablishedSession? TryConfirm(ReadOnlySpan<byte> datagram, IPEndPoint from, MeshInstant now)
    {
        if (!PacketLayout.TryReadDestination(datagram, out ConnectionId id) || HalfOpen.Find(id) is not { } entry)
        {
            return null;
        }

        if (entry.ExpiresAt <= now.Monotonic || !entry.Protector.CanOpen(datagram, default, now.Monotonic))
        {
            return null;
        }

        EstablishedSession session = entry.Session;
        if (!session.Invitation.IsNone && !admission.TryTakeInvitation(session.Invitation, session.RemoteKey, now.Wall))
        {
            HalfOpen.Drop(entry); // another device was faster
            return null;
        }

        HalfOpen.Take(entry);
        HalfOpen.DropAllOf(session.RemoteKey);
        return session.Established(from, now.Monotonic);
    }

    private HandshakeOutcome Repeat(HalfOpen known, IPEndPoint from)
    {
        // The same bytes from elsewhere are a replay: the initiator makes an initiation of its own for each address.
        if (!known.Session.RemoteAddress.Equals(from) || known.Repeats >= Handshake.HalfOpen.RepeatsMax)
        {
            return HandshakeOutcome.Replayed;
        }

        known.Repeats++;
        outbox.Send(from, known.Response);
        return HandshakeOutcome.Answered;
    }

    private void Challenge(CipherSuite suite, ConnectionId remoteId, ReadOnlySpan<byte> mac1, IPEndPoint from, TimeSpan now)
    {
        Span<byte> cookie = stackalloc byte[CookieReplyMessage.CookieBytes];
        _cookies.Write(from, now, cookie);
        outbox.Send(from, CookieReplyMessage.Write(local.Macs, suite, remoteId, mac1, cookie, local.Entropy));
    }

    private HandshakeOutcome Judge(in InitiationPayload payload, ReadOnlySpan<byte> remoteStatic, MeshInstant now, out InvitationLookup invitation)
    {
        invitation = default;
        Span<byte> converted = stackalloc byte[X25519.KeyBytes];
        if (payload.Key == local.Identity.PublicKey
            || !Ed25519.TryConvertPublicKey(payload.Key.Span, converted)
            || !converted.SequenceEqual(remoteStatic))
        {
            return HandshakeOutcome.Refused;
        }

        if (payload.Invitation.IsNone)
        {
            if (!admission.IsAdmitted(payload.Key))
            {
                return HandshakeOutcome.Stranger;
            }
        }
        else
        {
            invitation = admission.FindInvitation(payload.Invitation, now.Wall);
            if (invitation.Status == InvitationStatus.Unknown)
            {
                return HandshakeOutcome.Stranger;
            }
        }

        // Before the stamp is used up: the other side repeats this very initiation, and after the wait it is answered.
        bool leftToOwnAttempt = openingSince(payload.Key) is { } since
            && SimultaneousOpen.Prefers(local.Identity.PublicKey, payload.Key)
            && now.Monotonic - since < local.Settings.GlareWait;
        if (leftToOwnAttempt)
        {
            return HandshakeOutcome.Yielded;
        }

        return _stamps.TryUse(payload.Key, payload.Stamp) ? HandshakeOutcome.Accepted : HandshakeOutcome.Replayed;
    }

    private HandshakeOutcome Answer(HandshakeState noise, CipherSuite suite, in InitiationPayload payload, InvitationLookup invitation, Origin origin, MeshInstant now)
    {
        byte[] psk = new byte[InvitationSecret.PresharedKeyBytes];
        if (!payload.Invitation.IsNone)
        {
            invitation.Secret.WritePresharedKey(psk);
        }

        noise.SetPsk(psk);
        ConnectionId localId = NextFreeId();
        byte[] response = new byte[ResponseMessage.Size];
        ResponseMessage.WriteHeader(response, origin.RemoteId);
        Span<byte> answer = stackalloc byte[ResponsePayload.Size];
        new ResponsePayload(invitation.Status, localId, local.Instance, local.ParametersFor(localId)).Write(answer);
        if (!noise.TryWrite(answer, response.AsSpan(ResponseMessage.HeaderBytes), out _))
        {
            return HandshakeOutcome.Refused;
        }

        new HandshakeMacs(payload.Key).Write(response.AsSpan(0, ResponseMessage.Mac1Offset), response.AsSpan(ResponseMessage.Mac1Offset));
        if (invitation.Status == InvitationStatus.Open)
        {
            PacketProtector protector = local.Protect(noise, suite, isInitiator: false, localId, origin.RemoteId, now.Monotonic);
            var session = new EstablishedSession
            {
                RemoteKey = payload.Key,
                IsInitiator = false,
                RemoteAddress = origin.From,
                LocalConnectionId = localId,
                RemoteConnectionId = origin.RemoteId,
                Protector = protector,
                HandshakeHash = noise.HandshakeHash.ToArray(),
                RemoteInstance = payload.Instance,
                RemoteParameters = payload.Parameters,
                Invitation = payload.Invitation,
            };
            HalfOpen.Add(new HalfOpen(origin.Digest, response, session, protector, now.Monotonic + local.Settings.HalfOpenLifetime));
        }

        outbox.Send(origin.From, response);
        return HandshakeOutcome.Answered;
    }

    private ConnectionId NextFreeId()
    {
        ConnectionId id;
        do
        {
            id = local.NextConnectionId();
        }
        while (HalfOpen.Contains(id));

        return id;
    }

    /// <param name="Digest">Names the very bytes of the initiation.</param>
    private readonly record struct Origin(ConnectionId RemoteId, IPEndPoint From, UInt128 Digest);
}
