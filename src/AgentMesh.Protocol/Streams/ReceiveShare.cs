using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Streams;

/// <summary>The part of one connection in a <see cref="ReceiveLimit"/>. Used by one thread at a time.</summary>
internal sealed class ReceiveShare(ReceiveLimit limit) : FairShare, IDisposable
{
    private ulong _paid;

    /// <summary>There is a limit now.</summary>
    public bool IsLimited => limit.BytesPerSecond != 0;

    /// <summary>When to ask again, since <see cref="Take"/> gave less than was wanted; set back by <see cref="BeginRound"/>.</summary>
    public TimeSpan NextAt { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Somebody has got less than wanted since the last <see cref="BeginRound"/>.</summary>
    public bool IsWaiting => NextAt != TimeSpan.MaxValue;

    /// <summary>All classes ask from here on.</summary>
    public void BeginRound() => NextAt = TimeSpan.MaxValue;

    /// <summary>Bytes that a class may be allowed and has not sent.</summary>
    public ulong Window(TimeSpan roundTrip) => ReceiveLimit.Window(limit.BytesPerSecond, roundTrip);

    /// <inheritdoc cref="ReceiveLimit.Take"/>
    public ulong Take(ulong wanted, TimeSpan now)
    {
        ulong taken = limit.Take(this, wanted, now, out TimeSpan againAt);
        NextAt = againAt < NextAt ? againAt : NextAt;
        return taken;
    }

    /// <summary>Of the datagram that is taken apart, these bytes were allowed from the bucket.</summary>
    public void ArrivedPaid(ulong bytes) => _paid += bytes;

    /// <summary>A datagram was taken apart; what was not allowed from the bucket is owed to it.</summary>
    public void Arrived(int datagramBytes)
    {
        limit.Count(Math.Max(0, datagramBytes - (int)_paid));
        _paid = 0;
    }

    public void Dispose() => limit.Close(this);
}
