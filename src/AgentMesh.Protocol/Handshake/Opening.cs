using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>This device opening a connection to one other: the attempts at all its addresses and their common schedule.</summary>
internal sealed class Opening(LocalSide local, DevicePublicKey remote, byte[] remoteAgreementKey, InvitationSecret invitation, TimeSpan now) : IDisposable
{
    private TimeSpan _wait = local.Settings.RetransmitInitial;
    private TimeSpan _sendAt = now;
    private TimeSpan _renewAt = now + local.Settings.RenewAfter;

    public LocalSide Local { get; } = local;

    public DevicePublicKey Remote { get; } = remote;

    public byte[] RemoteAgreementKey { get; } = remoteAgreementKey;

    public HandshakeMacs RemoteMacs { get; } = new(remote);

    public InvitationSecret Invitation { get; } = invitation;

    public List<AddressAttempt> Attempts { get; } = [];

    /// <summary>Initiations follow each other by no more than this.</summary>
    public TimeSpan RepeatMax { get; init; } = local.Settings.RetransmitMax;

    public TimeSpan StartedAt { get; } = now;

    public TimeSpan GiveUpAt => StartedAt + Local.Settings.AttemptTimeout;

    public TimeSpan NextWakeUp => _sendAt < GiveUpAt ? _sendAt : GiveUpAt;

    public bool Covers(IPEndPoint address) => Attempts.Exists(a => a.Address.Equals(address));

    public bool MustSend(TimeSpan at) => at >= _sendAt;

    public bool MustRenew(TimeSpan at) => at >= _renewAt;

    public void Renewed(TimeSpan at) => _renewAt = at + Local.Settings.RenewAfter;

    /// <summary>After sending: the next wait, shortened at random so that devices do not beat in time, and the one after it doubled.</summary>
    public void Schedule(TimeSpan at)
    {
        Span<byte> random = stackalloc byte[sizeof(uint)];
        Local.Entropy.Fill(random);
        double third = BinaryPrimitives.ReadUInt32BigEndian(random) / (double)uint.MaxValue / 3;
        _sendAt = at + (_wait * (1 - third));
        TimeSpan doubled = _wait * 2;
        _wait = doubled < RepeatMax ? doubled : RepeatMax;
    }

    /// <summary>Null when the key is no usable point.</summary>
    public static byte[]? AgreementKeyOf(DevicePublicKey key)
    {
        byte[] converted = new byte[X25519.KeyBytes];
        return Ed25519.TryConvertPublicKey(key.Span, converted) ? converted : null;
    }

    public void Dispose()
    {
        foreach (AddressAttempt attempt in Attempts)
        {
            attempt.Dispose();
        }
    }
}
