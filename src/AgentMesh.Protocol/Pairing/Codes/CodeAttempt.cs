using System.Net;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>The joiner's exchange with one device that answered its question: what it sends, and when again.</summary>
internal sealed class CodeAttempt : IDisposable
{
    public static readonly TimeSpan RepeatEvery = TimeSpan.FromMilliseconds(500);

    private const int SendsMax = 8;
    private const int SendsWhileOthersWait = 2;

    private readonly Cpace _cpace;
    private readonly byte[] _start;
    private int _sends;

    public CodeAttempt(IPEndPoint at, PairingCode code, UInt128 nonce, UInt128 cookie, IEntropy entropy)
    {
        At = at;
        Nonce = nonce;
        Cookie = cookie;
        _start = CodeShares.Start(nonce, cookie, code.Nameplate);
        _cpace = Cpace.Begin(code.Password, CodeShares.Channel, CodeShares.Session(_start), entropy);
        _cpace.Share.CopyTo(_start.AsSpan(CodeShares.StartDataBytes));
        Message = _start;
    }

    public IPEndPoint At { get; }

    public UInt128 Nonce { get; }

    public UInt128 Cookie { get; }

    /// <summary>Set by the share of the other side.</summary>
    public CodeSeals? Seals { get; private set; }

    /// <summary>What is repeated until there is an answer: the start, then the proof.</summary>
    public byte[] Message { get; private set; }

    public TimeSpan SendAt { get; private set; }

    /// <summary>When the other side first said that it is busy.</summary>
    public TimeSpan? BusySince { get; private set; }

    /// <param name="othersWait">Other devices have answered: one that does not go on at all holds them up for a second only.</param>
    public bool IsUsedUp(bool othersWait) => _sends >= (othersWait && Seals is null && BusySince is null ? SendsWhileOthersWait : SendsMax);

    public void Sent(TimeSpan now)
    {
        _sends++;
        SendAt = now + RepeatEvery;
    }

    public void Busy(TimeSpan now)
    {
        BusySince ??= now;
        _sends = 0;
    }

    /// <summary>False when it is no share; nothing has changed then.</summary>
    public bool TryTakeShare(ReadOnlySpan<byte> share)
    {
        Span<byte> key = stackalloc byte[Cpace.KeyBytes];
        if (!_cpace.TryFinishInitiator(_start.AsSpan(0, CodeShares.StartDataBytes), share[CodeHead.Size..], share[..CodeHead.Size], key))
        {
            return false;
        }

        Seals = new CodeSeals(key);
        return true;
    }

    public void GoOn(byte[] proof, TimeSpan now)
    {
        Message = proof;
        _sends = 0;
        SendAt = now;
    }

    public void Dispose() => _cpace.Dispose();
}
