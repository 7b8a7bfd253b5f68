using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The opening half of the handshakes.
/// <code>
/// event                      action
/// connect                    one initiation per address
/// wait over                  the same initiations again; the wait doubles up to a limit
/// initiation too old         new initiations (keys, stamp, connection id)
/// cookie reply               the same initiation with the cookie, at once
/// response                   session; all other attempts at this device end
/// response with a refusal    the attempt fails with its reason
/// time over                  the attempt fails
/// </code>
/// </summary>
internal sealed class Initiator(LocalSide local, InitiationStamps stamps, Outbox outbox) : IDisposable
{
    private readonly Dictionary<DevicePublicKey, Opening> _openings = [];
    private readonly Dictionary<ConnectionId, (Opening Opening, AddressAttempt Attempt)> _attempts = [];

    public TimeSpan? NextWakeUp => _openings.Count == 0 ? null : _openings.Values.Min(o => o.NextWakeUp);

    /// <summary>When this side began to open towards the device; null when it does not.</summary>
    public TimeSpan? OpeningSince(DevicePublicKey remote) => _openings.TryGetValue(remote, out Opening? opening) ? opening.StartedAt : null;

    public bool Uses(ConnectionId id) => _attempts.ContainsKey(id);

    public bool TryConnect(DevicePublicKey remote, IReadOnlyList<IPEndPoint> addresses, InvitationSecret invitation, MeshInstant now, TimeSpan? repeatMax)
    {
        if (!invitation.IsNone && _openings.TryGetValue(remote, out Opening? without) && !without.Invitation.Equals(invitation))
        {
            // A device that does not admit this one leaves an attempt without the invitation unanswered.
            Cancel(remote);
        }

        if (!_openings.TryGetValue(remote, out Opening? opening))
        {
            if (_openings.Count >= local.Settings.AttemptsMax)
            {
                return false;
            }

            if (Opening.AgreementKeyOf(remote) is not { } agreementKey)
            {
                outbox.Raise(new AttemptFailed(remote, AttemptFailure.BadKey));
                return true;
            }

            opening = new Opening(local, remote, agreementKey, invitation, now.Monotonic) { RepeatMax = repeatMax ?? local.Settings.RetransmitMax };
            opening.Schedule(now.Monotonic);
            _openings.Add(remote, opening);
        }

        foreach (IPEndPoint address in addresses)
        {
            if (opening.Attempts.Count < local.Settings.AddressesPerAttemptMax && !opening.Covers(address))
            {
                Initiate(opening, address, now);
            }
        }

        return true;
    }

    public void Cancel(DevicePublicKey remote)
    {
        if (_openings.Remove(remote, out Opening? opening))
        {
            Forget(opening);
            opening.Dispose();
        }
    }

    public HandshakeOutcome HandleCookieReply(ReadOnlySpan<byte> datagram)
    {
        if (!CookieReplyMessage.TryReadHeader(datagram, out ConnectionId id))
        {
            return HandshakeOutcome.Malformed;
        }

        if (!_attempts.TryGetValue(id, out var found) || !found.Attempt.TryTakeCookie(datagram, found.Opening.RemoteMacs))
        {
            return HandshakeOutcome.Refused;
        }

        outbox.Send(found.Attempt.Address, found.Attempt.Datagram());
        return HandshakeOutcome.Answered;
    }

    /// <summary>A session where the response completes one.</summary>
    public HandshakeOutcome HandleResponse(ReadOnlySpan<byte> datagram, IPEndPoint from, TimeSpan now, out EstablishedSession? session)
    {
        session = null;
        if (!ResponseMessage.TryReadHeader(datagram, out ConnectionId id))
        {
            return HandshakeOutcome.Malformed;
        }

        if (!_attempts.TryGetValue(id, out var found) || !local.Macs.IsValid(datagram[..ResponseMessage.Mac1Offset], datagram[ResponseMessage.Mac1Offset..]))
        {
            return HandshakeOutcome.Refused;
        }

        using HandshakeState? noise = found.Attempt.TryFinish(datagram, out ResponsePayload payload);
        if (noise is null)
        {
            return HandshakeOutcome.Refused;
        }

        DevicePublicKey remote = found.Opening.Remote;
        if (payload.Status == InvitationStatus.Open)
        {
            session = new EstablishedSession
            {
                RemoteKey = remote,
                IsInitiator = true,
                RemoteAddress = from,
                LocalConnectionId = id,
                RemoteConnectionId = payload.Source,
                Protector = local.Protect(noise, found.Attempt.Suite, isInitiator: true, id, payload.Source, now),
                HandshakeHash = noise.HandshakeHash.ToArray(),
                RemoteInstance = payload.Instance,
                RemoteParameters = payload.Parameters,
                Invitation = found.Opening.Invitation.IsNone ? default : found.Opening.Invitation.Id,
                EstablishedAt = now,
            };
        }
        else
        {
            AttemptFailure reason = payload.Status == InvitationStatus.Used ? AttemptFailure.InvitationUsed : AttemptFailure.InvitationExpired;
            outbox.Raise(new AttemptFailed(remote, reason));
        }

        Cancel(remote);
        return HandshakeOutcome.Accepted;
    }

    public void HandleTimeout(MeshInstant now)
    {
        foreach (Opening opening in _openings.Values.Where(o => o.NextWakeUp <= now.Monotonic).ToList())
        {
            if (now.Monotonic >= opening.GiveUpAt)
            {
                outbox.Raise(new AttemptFailed(opening.Remote, AttemptFailure.NoAnswer));
                Cancel(opening.Remote);
            }
            else if (opening.MustSend(now.Monotonic))
            {
                Repeat(opening, now);
            }
        }
    }

    public void Dispose()
    {
        foreach (Opening opening in _openings.Values)
        {
            opening.Dispose();
        }

        _openings.Clear();
        _attempts.Clear();
    }

    private void Repeat(Opening opening, MeshInstant now)
    {
        opening.Schedule(now.Monotonic);
        if (!opening.MustRenew(now.Monotonic))
        {
            foreach (AddressAttempt attempt in opening.Attempts)
            {
                outbox.Send(attempt.Address, attempt.Datagram());
            }

            return;
        }

        opening.Renewed(now.Monotonic);
        List<IPEndPoint> addresses = [.. opening.Attempts.Select(a => a.Address)];
        Forget(opening);
        opening.Dispose();
        opening.Attempts.Clear();
        foreach (IPEndPoint address in addresses)
        {
            Initiate(opening, address, now);
        }
    }

    private void Initiate(Opening opening, IPEndPoint address, MeshInstant now)
    {
        AddressAttempt? attempt = AddressAttempt.Create(address, opening, stamps.Next(now.Wall));
        if (attempt is null)
        {
            return; // cannot be: a converted key is of the main subgroup
        }

        opening.Attempts.Add(attempt);
        _attempts.Add(attempt.Source, (opening, attempt));
        outbox.Send(address, attempt.Datagram());
    }

    private void Forget(Opening opening)
    {
        foreach (AddressAttempt attempt in opening.Attempts)
        {
            _attempts.Remove(attempt.Source);
        }
    }
}
