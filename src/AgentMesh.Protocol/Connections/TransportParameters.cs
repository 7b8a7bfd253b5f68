using System.Buffers.Binary;
using AgentMesh.Protocol.Handshake;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// What each side tells during the handshake about the limits it starts with. 32 bytes, numbers big-endian.
/// <code>
///  0  window of a stream in bytes, 4
///  4  what each class may carry at first in bytes, 4
///  8  streams per class, 2
/// 10  greatest datagram in bytes, 2
/// 12  greatest delay of acknowledgements in milliseconds, 1
/// 13  what this side takes beyond the first version, one bit each, 1
/// 14  secret of the connection id that the other side sends to, 16; zeros: none (written by the handshake)
/// 30  zeros, 2; not looked at
/// </code>
/// </summary>
internal readonly record struct TransportParameters(uint StreamWindow, uint ClassWindow, ushort StreamsPerClass, ushort DatagramBytesMax, byte AckDelayMaxMilliseconds, byte Takes = 0)
{
    public const int Size = HandshakeEndpoint.ParametersBytes;

    /// <summary>No device can do with less; a smaller number counts as this.</summary>
    public const int DatagramBytesMin = 1200;

    /// <summary>Bit of <see cref="Takes"/>: frames that tell where this side is seen.</summary>
    public const byte TakesObservedAddress = 1;

    /// <summary>Bit of <see cref="Takes"/>: frames that tell how many packets of this side arrived marked.</summary>
    public const byte TakesEcnCounts = 2;

    /// <summary>Bit of <see cref="Takes"/>: frames that ask for fewer acknowledgements.</summary>
    public const byte TakesAckFrequency = 4;

    public TimeSpan AckDelayMax => TimeSpan.FromMilliseconds(AckDelayMaxMilliseconds);

    public static TransportParameters Of(ConnectionSettings settings) => new(
        (uint)settings.StreamWindow,
        (uint)settings.ClassCredit,
        (ushort)settings.StreamsPerClassMax,
        (ushort)settings.DatagramBytesMax,
        (byte)Math.Ceiling(settings.AckDelayMax.TotalMilliseconds),
        (byte)(TakesObservedAddress | (settings.Ecn ? TakesEcnCounts : 0) | (settings.AckThinning ? TakesAckFrequency : 0)));

    public static TransportParameters Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source),
        BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
        BinaryPrimitives.ReadUInt16BigEndian(source[8..]),
        Math.Max((ushort)DatagramBytesMin, BinaryPrimitives.ReadUInt16BigEndian(source[10..])),
        source[12],
        source[13]);

    /// <summary>Who knows it may say that the sender of these parameters has forgotten the session.</summary>
    public static ReadOnlySpan<byte> ResetTokenOf(ReadOnlySpan<byte> source) => source.Slice(HandshakeEndpoint.ResetTokenOffset, Packets.OwnConnectionIds.ResetTokenBytes);

    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(destination, StreamWindow);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ClassWindow);
        BinaryPrimitives.WriteUInt16BigEndian(destination[8..], StreamsPerClass);
        BinaryPrimitives.WriteUInt16BigEndian(destination[10..], DatagramBytesMax);
        destination[12] = AckDelayMaxMilliseconds;
        destination[13] = Takes;
    }
}
