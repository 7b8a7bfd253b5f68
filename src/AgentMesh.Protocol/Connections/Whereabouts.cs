using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Where the other side is. A newer packet from another address is a reason to ask there; only who answers from there with the bytes that were sent there moves the
/// connection. Questions are small, at most one goes out in some time, whatever arrives from wherever, and an address that never answers gets no more than
/// <see cref="PathProber.ProbesMax"/>, so that nobody can be made to flood a third party.
/// </summary>
/// <param name="waitsFirst">
/// Asks only where packets still come from there after that time. True for one of both sides: two that know each other by the addresses of different networks would else
/// ask at once, each question would end the other one, and so on for ever.
/// </param>
internal sealed class Whereabouts(IPEndPoint remote, IEntropy? entropy, bool waitsFirst)
{
    private readonly byte[] _challenge = new byte[PathFrame.DataBytes];
    private readonly byte[] _response = new byte[PathFrame.DataBytes];
    private readonly QuestionAllowance _allowance = new();
    private ulong _newest;
    private TimeSpan _mayAskAt = TimeSpan.MinValue;
    private bool _isAsked;
    private bool _isAnswered;
    private TimeSpan _settledAt = TimeSpan.MinValue;

    /// <summary>Packets go here.</summary>
    public IPEndPoint Remote { get; private set; } = remote;

    /// <summary>A relay passes on what is sent to <see cref="Remote"/>.</summary>
    public bool IsRelayed { get; private set; } = RelayAddress.IsRelay(remote);

    /// <summary>An address that the other side may have moved to; null when there is none.</summary>
    public IPEndPoint? Candidate { get; private set; }

    /// <summary>A question has to go to <see cref="Candidate"/>.</summary>
    public bool IsChallengePending { get; private set; }

    /// <summary>The other side asked; the answer goes to <see cref="Remote"/>.</summary>
    public bool IsResponsePending { get; private set; }

    public ReadOnlySpan<byte> Challenge => _challenge;

    public ReadOnlySpan<byte> Response => _response;

    /// <summary>An authentic packet came. Late ones say nothing about where the other side is now.</summary>
    /// <param name="patience">Between two questions; one without an answer is put again after this time, if packets still come from there.</param>
    /// <param name="acksOnly">
    /// The packet holds nothing but acknowledgements, which go where newer packets of this side come from (<see cref="PathTable.AckTo"/>): whoever moves to another
    /// address sends them to the old one until this side has followed, so they end no question about the new one.
    /// </param>
    /// <returns>True unless the packet is a late one.</returns>
    public bool Heard(IPEndPoint from, ulong number, TimeSpan patience, TimeSpan now, bool acksOnly = false)
    {
        if (number < _newest)
        {
            return false;
        }

        _newest = number;
        if (ReferenceEquals(from, Remote) || from.Equals(Remote))
        {
            if (!acksOnly)
            {
                Forget();
            }

            return true;
        }

        // Whether a relay or a direct path is used is decided by what proved to work, not by where the other side sends from.
        // What fits within this machine may not fit outside of it.
        if (entropy is null || IsRelayed || now < _settledAt || RelayAddress.IsRelay(from) || IPAddress.IsLoopback(from.Address) != IPAddress.IsLoopback(Remote.Address))
        {
            return true;
        }

        if (!from.Equals(Candidate))
        {
            if (waitsFirst && Candidate is null && _mayAskAt < now + patience)
            {
                _mayAskAt = now + patience;
            }

            entropy.Fill(_challenge);
            Candidate = from;
            _isAsked = false;
            IsChallengePending = false;
        }

        if (now >= _mayAskAt && !IsChallengePending && _allowance.TryTake(from, now))
        {
            IsChallengePending = true;
            _mayAskAt = now + patience;
        }

        return true;
    }

    /// <summary>This side has chosen <see cref="Remote"/> among several that work: where packets still come from until the other side has followed is no reason to go there.</summary>
    public void Settle(TimeSpan until) => _settledAt = until;

    public void ChallengeSent()
    {
        IsChallengePending = false;
        _isAsked = true;
    }

    /// <summary>The other side seems to have moved there, and was asked.</summary>
    public bool HasAsked(IPEndPoint address) => _isAsked && address.Equals(Candidate);

    public void Challenged(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_response);
        IsResponsePending = true;
    }

    public void ResponseSent() => IsResponsePending = false;

    /// <summary>An answer came; <see cref="TryMove"/> judges it.</summary>
    public void Answered(ReadOnlySpan<byte> data) => _isAnswered = _isAsked && CryptographicOperations.FixedTimeEquals(data, _challenge);

    /// <summary>True when the packet from this address had the right answer: the other side is at <see cref="Remote"/> from now on.</summary>
    public bool TryMove(IPEndPoint from)
    {
        bool isAnswered = _isAnswered;
        _isAnswered = false;
        if (!isAnswered || !from.Equals(Candidate))
        {
            return false;
        }

        MoveTo(Candidate);
        return true;
    }

    /// <summary>The other side was proven to be here by other means.</summary>
    public void MoveTo(IPEndPoint address)
    {
        Remote = address;
        _allowance.Proven(address);
        IsRelayed = RelayAddress.IsRelay(address);
        Forget();
    }

    /// <summary>The question of the packet that was just taken; it is not answered by this class then.</summary>
    public bool TryTakeChallenge(out ReadOnlySpan<byte> data)
    {
        data = _response;
        bool isThere = IsResponsePending;
        IsResponsePending = false;
        return isThere;
    }

    private void Forget()
    {
        Candidate = null;
        IsChallengePending = false;
        _isAsked = false;
    }
}
