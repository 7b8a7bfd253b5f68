using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>A request under way: what it asks for, and when it is sent again. Written anew, with another transaction, when the server wants another proof.</summary>
internal sealed class TurnRequest(StunType type)
{
    // Half a minute is too long for a path: five transmissions within 11.5 s.
    private static readonly RetransmissionSchedule Unreliable = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(4), 5);

    // RFC 8489, section 6.2.2: over a stream nothing is repeated. Its patience of 39.5 s is too long as well.
    private static readonly RetransmissionSchedule Reliable = new(TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(12), 1);

    private const uint Udp = 17u << 24;
    private const int ContentBytesMax = 8 + 8 + (TurnPermissions.PerRequestMax * (4 + 20));

    private byte[] _message = [];
    private int _length;
    private int _sent;

    public static TurnRequest Allocate(TimeSpan lifetime) => new(StunType.AllocateRequest) { Lifetime = lifetime };

    public static TurnRequest Refresh(TimeSpan lifetime) => new(StunType.RefreshRequest) { Lifetime = lifetime };

    public StunType Type => type;

    public bool IsReliable { get; set; }

    public StunTransactionId Transaction { get; private set; }

    /// <summary>Of CreatePermission.</summary>
    public IPAddress[] Addresses { get; init; } = [];

    /// <summary>Of ChannelBind.</summary>
    public (IPEndPoint Peer, ushort Number) Channel { get; init; }

    /// <summary>Of Allocate and Refresh; zero ends the allocation.</summary>
    public TimeSpan Lifetime { get; init; }

    /// <summary>What it is proven with; null without.</summary>
    public TurnChallenge? Challenge { get; private set; }

    /// <summary>How often the server wanted another proof.</summary>
    public int Challenges { get; private set; }

    public TimeSpan NextAt { get; private set; }

    /// <summary>The last wait ran out.</summary>
    public bool IsGivenUp(TimeSpan now) => _sent == Schedule.Transmissions && now >= NextAt;

    public void Prove(TurnChallenge? challenge, IEntropy entropy, TimeSpan now)
    {
        Challenges += challenge is null || Challenge is null ? 0 : 1;
        Challenge = challenge;
        Span<byte> random = stackalloc byte[StunTransactionId.Bytes];
        entropy.Fill(random);
        Transaction = StunTransactionId.Read(random);
        _message = new byte[StunMessage.HeaderBytes + ContentBytesMax + (challenge?.Bytes ?? 0) + StunFingerprint.AttributeBytes];
        var writer = new StunWriter(_message, type, Transaction);
        Write(ref writer);
        challenge?.Write(ref writer);
        writer.AddFingerprint();
        _length = writer.Length;
        _sent = 0;
        NextAt = now;
    }

    public bool TryTransmit(TimeSpan now, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (now < NextAt || _sent == Schedule.Transmissions)
        {
            return false;
        }

        _sent++;
        NextAt = now + Schedule.WaitAfter(_sent);
        message = _message.AsSpan(0, _length);
        return true;
    }

    private RetransmissionSchedule Schedule => IsReliable ? Reliable : Unreliable;

    private void Write(ref StunWriter writer)
    {
        switch (type)
        {
            case StunType.AllocateRequest:
                writer.Add(StunAttribute.RequestedTransport, Udp);
                writer.Add(StunAttribute.Lifetime, (uint)Lifetime.TotalSeconds);
                break;
            case StunType.RefreshRequest:
                writer.Add(StunAttribute.Lifetime, (uint)Lifetime.TotalSeconds);
                break;
            case StunType.ChannelBindRequest:
                writer.Add(StunAttribute.ChannelNumber, (uint)Channel.Number << 16);
                writer.AddXor(StunAttribute.XorPeerAddress, Channel.Peer);
                break;
            default:
                foreach (IPAddress address in Addresses)
                {
                    writer.AddXor(StunAttribute.XorPeerAddress, new IPEndPoint(address, 0));
                }

                break;
        }
    }
}
