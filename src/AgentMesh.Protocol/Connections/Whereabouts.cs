using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Where the other side is. A newer packet from another address is a reason to ask there; only who answers from there with the bytes that were sent there moves the
/// connection. An address gets at most one small question for each authentic packet from it, so that nobody can be made to flood a third party.
/// </summary>
internal sealed class Whereabouts(IPEndPoint remote, IEntropy? entropy)
{
    private readonly byte[] _challenge = new byte[PathFrame.DataBytes];
    private readonly byte[] _response = new byte[PathFrame.DataBytes];
    private ulong _newest;
    private TimeSpan _askedAt;
    private bool _isAsked;
    private bool _isAnswered;

    /// <summary>Packets go here.</summary>
    public IPEndPoint Remote { get; private set; } = remote;

    /// <summary>An address that the other side may have moved to; null when there is none.</summary>
    public IPEndPoint? Candidate { get; private set; }

    /// <summary>A question has to go to <see cref="Candidate"/>.</summary>
    public bool IsChallengePending { get; private set; }

    /// <summary>The other side asked; the answer goes to <see cref="Remote"/>.</summary>
    public bool IsResponsePending { get; private set; }

    public ReadOnlySpan<byte> Challenge => _challenge;

    public ReadOnlySpan<byte> Response => _response;

    /// <summary>An authentic packet came. Late ones say nothing about where the other side is now.</summary>
    /// <param name="patience">A question without an answer is put again after this time, if packets still come from there.</param>
    public void Heard(IPEndPoint from, ulong number, TimeSpan patience, TimeSpan now)
    {
        if (number < _newest)
        {
            return;
        }

        _newest = number;
        if (ReferenceEquals(from, Remote) || from.Equals(Remote))
        {
            Forget();
            return;
        }

        // What fits within this machine may not fit outside of it.
        if (entropy is null || IPAddress.IsLoopback(from.Address) != IPAddress.IsLoopback(Remote.Address))
        {
            return;
        }

        bool isKnown = from.Equals(Candidate);
        if (isKnown && (IsChallengePending || now - _askedAt < patience))
        {
            return;
        }

        if (!isKnown)
        {
            entropy.Fill(_challenge);
            Candidate = from;
            _isAsked = false;
        }

        IsChallengePending = true;
    }

    public void ChallengeSent(TimeSpan now)
    {
        IsChallengePending = false;
        _isAsked = true;
        _askedAt = now;
    }

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

        Remote = Candidate;
        Forget();
        return true;
    }

    private void Forget()
    {
        Candidate = null;
        IsChallengePending = false;
        _isAsked = false;
    }
}
