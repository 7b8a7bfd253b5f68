using System.Net;
using System.Text;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Stun;

/// <summary>The other side of an allocation, which notes what it was asked and answers as a test wants it.</summary>
internal sealed class TurnTestServer
{
    public static readonly IPEndPoint Address = IPEndPoint.Parse("198.51.100.1:3478");
    public static readonly IPEndPoint Relayed = IPEndPoint.Parse("198.51.100.1:50000");

    private readonly byte[] _algorithms;

    /// <param name="features">Bits of the nonce, RFC 8489, section 9.2; null for a nonce of before.</param>
    public TurnTestServer(TurnSettings? settings = null, byte? features = null, params byte[] algorithms)
    {
        _algorithms = algorithms;
        Nonce = features is { } bits ? $"obMatJos2{Convert.ToBase64String([bits, 0, 0])}n1" : "n1";
        Allocation = new TurnAllocation(Address, new StunCredentials("user", "secret"), settings ?? new TurnSettings(), new SeededEntropy(7), TimeSpan.Zero);
    }

    public TurnAllocation Allocation { get; }

    public TimeSpan Now { get; set; }

    public string Nonce { get; set; }

    public StunKey Key { get; set; } = StunKey.LongTerm(new StunCredentials("user", "secret"), "lab", null);

    public List<StunType> Asked { get; } = [];

    /// <summary>The last request, without the proof of who sent it looked at.</summary>
    public byte[] Last { get; private set; } = [];

    /// <summary>Of the last request.</summary>
    public bool IsProven
    {
        get
        {
            Assert.True(StunMessage.TryRead(Last, out StunMessage message));
            return Key.TryVerify(message, out _);
        }
    }

    /// <summary>What the allocation sends now.</summary>
    public bool Ask()
    {
        bool any = false;
        while (Allocation.TryTransmit(Now, out ReadOnlySpan<byte> sent))
        {
            any = true;
            Last = sent.ToArray();
            Assert.True(StunMessage.TryRead(sent, out StunMessage message));
            Asked.Add(message.Type);
        }

        return any;
    }

    /// <summary>Asks, is challenged, asks again and is given an address.</summary>
    public void Hold()
    {
        Assert.True(Ask());
        Challenge(401);
        Assert.True(Ask());
        Assert.True(IsProven);
        Succeed();
        Assert.Equal(Relayed, Allocation.Relayed);
    }

    public void Succeed(uint lifetime = 600) => Answer(0x0100, isProven: true, writer =>
    {
        writer.AddXor(StunAttribute.XorRelayedAddress, Relayed);
        writer.AddXor(StunAttribute.XorMappedAddress, IPEndPoint.Parse("203.0.113.7:1234"));
        writer.Add(StunAttribute.Lifetime, lifetime);
        return writer;
    });

    public void Challenge(int code) => Answer(0x0110, isProven: false, writer =>
    {
        writer.Add(StunAttribute.ErrorCode, [0, 0, (byte)(code / 100), (byte)(code % 100)]);
        writer.Add(StunAttribute.Realm, "lab"u8);
        writer.Add(StunAttribute.Nonce, Encoding.ASCII.GetBytes(Nonce));
        if (_algorithms.Length > 0)
        {
            writer.Add(StunAttribute.PasswordAlgorithms, _algorithms);
        }

        return writer;
    });

    public void Refuse(int code, string reason = "no", IPEndPoint? other = null) => Answer(0x0110, isProven: true, writer =>
    {
        writer.Add(StunAttribute.ErrorCode, [0, 0, (byte)(code / 100), (byte)(code % 100), .. Encoding.ASCII.GetBytes(reason)]);
        if (other is not null)
        {
            writer.Add(StunAttribute.AlternateServer, [0, 1, (byte)(other.Port >> 8), (byte)other.Port, .. other.Address.GetAddressBytes()]);
        }

        return writer;
    });

    public void Answer(int classBits, bool isProven, Func<Builder, Builder> content)
    {
        Assert.True(StunMessage.TryRead(Last, out StunMessage asked));
        var builder = new Builder((StunType)((int)asked.Type | classBits), asked.Transaction);
        content(builder);
        Give(builder.End(isProven ? Key : null));
    }

    public (IPEndPoint? Peer, byte[] Data) Give(ReadOnlySpan<byte> datagram)
    {
        IPEndPoint? peer = Allocation.Handle(datagram, Now, out ReadOnlySpan<byte> data);
        return (peer, data.ToArray());
    }

    public byte[] Wrap(IPEndPoint peer, byte[] datagram)
    {
        byte[] buffer = new byte[datagram.Length + TurnAllocation.OverheadMax];
        return buffer[..Allocation.Wrap(peer, datagram, buffer, Now)];
    }

    public static byte[] Indication(IPEndPoint peer, byte[] data)
    {
        var builder = new Builder(StunType.DataIndication, new StunTransactionId(3, 4));
        builder.AddXor(StunAttribute.XorPeerAddress, peer);
        builder.Add(StunAttribute.Data, data);
        return builder.End(null);
    }

    internal sealed class Builder(StunType type, StunTransactionId transaction)
    {
        private delegate void Writing(ref StunWriter writer);

        private readonly List<Writing> _writing = [];

        public void Add(StunAttribute attribute, ReadOnlySpan<byte> value)
        {
            byte[] kept = value.ToArray();
            _writing.Add((ref StunWriter writer) => writer.Add(attribute, kept));
        }

        public void Add(StunAttribute attribute, uint value) => _writing.Add((ref StunWriter writer) => writer.Add(attribute, value));

        public void AddXor(StunAttribute attribute, IPEndPoint address) => _writing.Add((ref StunWriter writer) => writer.AddXor(attribute, address));

        public byte[] End(StunKey? key)
        {
            byte[] buffer = new byte[2048];
            var writer = new StunWriter(buffer, type, transaction);
            foreach (Writing part in _writing)
            {
                part(ref writer);
            }

            if (key is not null)
            {
                writer.AddIntegrity(key);
            }

            writer.AddFingerprint();
            return buffer[..writer.Length];
        }
    }
}
