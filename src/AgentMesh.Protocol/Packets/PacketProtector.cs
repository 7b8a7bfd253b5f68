using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <inheritdoc cref="IPacketProtector"/>
internal sealed class PacketProtector : IPacketProtector
{
    private readonly KeyRing _ring;
    private readonly RekeyMachine _rekey;
    private readonly RekeySettings _settings;
    private readonly HeaderProtection _sealMask;
    private readonly HeaderProtection _openMask;
    private readonly ReplayWindow?[] _windows = new ReplayWindow?[PathId.Max + 1];
    private readonly ulong[] _nextToSeal = new ulong[PathId.Max + 1];

    public PacketProtector(KeyChain chain, CipherSuite suite, bool isInitiator, RekeySettings settings, IEntropy entropy, TimeSpan now, Action<EpochKeys>? installed = null)
    {
        Invariant.Check(settings.RejectAfter >= settings.Interval * 1.5);
        _settings = settings;
        _sealMask = Mask(chain, suite, isInitiator ? "agentmesh hp i2r"u8 : "agentmesh hp r2i"u8);
        _openMask = Mask(chain, suite, isInitiator ? "agentmesh hp r2i"u8 : "agentmesh hp i2r"u8);
        _ring = new KeyRing(chain, suite, isInitiator, settings, now, installed);
        _rekey = new RekeyMachine(_ring, isInitiator, settings, entropy);
    }

    /// <summary>The epoch that seals, for tests and diagnosis.</summary>
    internal uint Epoch => _ring.Current.Epoch;

    public TimeSpan NextWakeUp
    {
        get
        {
            TimeSpan expiry = _ring.Current.InstalledAt + _settings.RejectAfter;
            TimeSpan due = _rekey.DueAt;
            TimeSpan erase = _ring.ErasePreviousAt ?? expiry;
            return due < expiry ? (due < erase ? due : erase) : (erase < expiry ? erase : expiry);
        }
    }

    public bool IsExpired(TimeSpan now) => _ring.IsTooOld(_ring.Current, now) || _ring.Current.Sealed >= _settings.PacketsHardMax;

    public bool TrySeal(Span<byte> datagram, int payloadLength, ConnectionId destination, PathId path, ulong packetNumber, TimeSpan now, out int length)
    {
        if (!TrySealBare(datagram, payloadLength, destination, path, packetNumber, now, out length))
        {
            return false;
        }

        _sealMask.Apply(datagram);
        return true;
    }

    public void MaskSealed(Span<byte> packets, int packetBytes) => _sealMask.ApplyMany(packets, packetBytes);

    public void UnmaskArrived(Span<byte> packets, int packetBytes) => _openMask.ApplyMany(packets, packetBytes);

    public bool TrySealBare(Span<byte> datagram, int payloadLength, ConnectionId destination, PathId path, ulong packetNumber, TimeSpan now, out int length)
    {
        length = payloadLength + PacketLayout.Overhead;
        Invariant.Check(payloadLength >= 0 && datagram.Length >= length);
        Invariant.Check(packetNumber >= _nextToSeal[path.Value] && packetNumber < ulong.MaxValue);
        if (IsExpired(now))
        {
            length = 0;
            return false;
        }

        EpochKeys keys = _ring.Current;
        datagram[0] = (byte)(PacketLayout.FirstByte | (keys.Epoch & PacketLayout.EpochMask));
        destination.Write(datagram[PacketLayout.ConnectionIdOffset..]);
        BinaryPrimitives.WriteUInt32BigEndian(datagram[PacketLayout.PacketNumberOffset..], (uint)packetNumber);
        keys.Seal(
            path,
            packetNumber,
            datagram[..PacketLayout.HeaderBytes],
            datagram.Slice(PacketLayout.HeaderBytes, payloadLength),
            datagram.Slice(PacketLayout.HeaderBytes + payloadLength, PacketLayout.TagBytes));
        _nextToSeal[path.Value] = packetNumber + 1;
        return true;
    }

    public OpenStatus Open(Span<byte> datagram, PathId path, TimeSpan now, out OpenedPacket packet)
    {
        UnmaskArrived(datagram, datagram.Length);
        return OpenBare(datagram, path, now, out packet);
    }

    public OpenStatus OpenBare(Span<byte> datagram, PathId path, TimeSpan now, out OpenedPacket packet)
    {
        OpenStatus status = Decrypt(datagram, path, now, out packet, out EpochKeys? keys);
        if (status == OpenStatus.Opened)
        {
            (_windows[path.Value] ??= new ReplayWindow()).Accept(packet.PacketNumber);
            if (_ring.IsNext(keys!))
            {
                _ring.Promote();
            }
        }

        return status;
    }

    /// <summary>True where <see cref="Open"/> would open this packet; changes nothing.</summary>
    internal bool CanOpen(ReadOnlySpan<byte> datagram, PathId path, TimeSpan now)
    {
        byte[] copy = ArrayPool<byte>.Shared.Rent(datagram.Length);
        try
        {
            datagram.CopyTo(copy);
            UnmaskArrived(copy.AsSpan(0, datagram.Length), datagram.Length);
            return Decrypt(copy.AsSpan(0, datagram.Length), path, now, out _, out _) == OpenStatus.Opened;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy, clearArray: true);
        }
    }

    public bool TryWriteRekey(Span<byte> message, TimeSpan now, out int length)
    {
        _ring.EraseOld(now);
        return _rekey.TryWrite(message, now, out length);
    }

    public bool HandleRekey(ReadOnlySpan<byte> message, TimeSpan now) => _rekey.Handle(message, now);

    public void Dispose()
    {
        _rekey.Dispose();
        _ring.Dispose();
        _sealMask.Dispose();
        _openMask.Dispose();
    }

    private OpenStatus Decrypt(Span<byte> datagram, PathId path, TimeSpan now, out OpenedPacket packet, out EpochKeys? keys)
    {
        packet = default;
        keys = null;
        if (datagram.Length < PacketLayout.MinPacketBytes || Datagrams.KindOf(datagram) != DatagramKind.Packet)
        {
            return OpenStatus.Malformed;
        }

        keys = _ring.Find((byte)(datagram[0] & PacketLayout.EpochMask), now);
        if (keys is null)
        {
            return OpenStatus.UnknownEpoch;
        }

        ReplayWindow? window = _windows[path.Value];
        uint truncated = BinaryPrimitives.ReadUInt32BigEndian(datagram[PacketLayout.PacketNumberOffset..]);
        ulong packetNumber = PacketNumber.Expand(truncated, window?.Expected ?? 0);
        if (window is not null && !window.IsNew(packetNumber))
        {
            return OpenStatus.Replayed;
        }

        Span<byte> payload = datagram[PacketLayout.HeaderBytes..^PacketLayout.TagBytes];
        if (!keys.TryOpen(path, packetNumber, datagram[..PacketLayout.HeaderBytes], payload, datagram[^PacketLayout.TagBytes..]))
        {
            return OpenStatus.NotAuthentic;
        }

        packet = new OpenedPacket(packetNumber, PacketLayout.HeaderBytes, payload.Length);
        bool reservedBitsAreZero = (datagram[0] & ~PacketLayout.EpochMask) == PacketLayout.FirstByte;
        return reservedBitsAreZero ? OpenStatus.Opened : OpenStatus.Malformed;
    }

    private static HeaderProtection Mask(KeyChain chain, CipherSuite suite, ReadOnlySpan<byte> label)
    {
        Span<byte> key = stackalloc byte[HeaderProtection.KeyBytes];
        chain.Expand(label, key);
        HeaderProtection mask = HeaderProtection.Create(suite, key);
        CryptographicOperations.ZeroMemory(key);
        return mask;
    }
}
