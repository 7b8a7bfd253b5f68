using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// Cuts what a TURN server sends over TCP into its messages (RFC 8489, section 6.2.2; RFC 8656, section 12.5): both kinds say how long they are, and data of channels is padded to four bytes.
/// A message that is longer than a datagram is taken over UDP is passed over. Holds a fixed buffer. Not thread-safe.
/// </summary>
internal sealed class TurnStreamFramer
{
    /// <summary>Longer messages are passed over.</summary>
    public const int MessageBytesMax = 2048;

    private const int Alignment = 4;

    // The least of which both kinds show what they are: a message of STUN by its cookie.
    private const int CookieEnd = 8;

    private readonly byte[] _buffer = new byte[8 * MessageBytesMax];
    private int _start;
    private int _end;
    private int _passOver;

    /// <summary>These bytes are no messages, and where the next one would begin is not known: nothing more is read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Messages that were too long.</summary>
    public long PassedOver { get; private set; }

    /// <summary>Where the next bytes go; never empty. What <see cref="TryRead"/> gave is gone once this was asked for.</summary>
    public Memory<byte> Free
    {
        get
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            return _buffer.AsMemory(_end);
        }
    }

    /// <summary>So many bytes were written to <see cref="Free"/>.</summary>
    public void Received(int count) => _end += count;

    /// <summary>The next message, without its padding, in the buffer of this framer. To be called until false.</summary>
    public bool TryRead(out Span<byte> message)
    {
        while (!IsBroken)
        {
            int passed = Math.Min(_passOver, _end - _start);
            _start += passed;
            _passOver -= passed;
            Span<byte> arrived = _buffer.AsSpan(_start.._end);
            if (_passOver > 0 || !TryMeasure(arrived, out int length, out int padded))
            {
                break;
            }

            if (padded > MessageBytesMax)
            {
                PassedOver++;
                _passOver = padded;
            }
            else if (padded > arrived.Length)
            {
                break;
            }
            else
            {
                _start += padded;
                message = arrived[..length];
                return true;
            }
        }

        message = default;
        return false;
    }

    /// <summary>Zeros that follow a message on a stream.</summary>
    public static int PaddingOf(ReadOnlySpan<byte> message) => -message.Length & (Alignment - 1);

    /// <summary>What this device sends on to a peer, and no request.</summary>
    public static bool IsData(ReadOnlySpan<byte> message) =>
        message.Length >= Alignment && BinaryPrimitives.ReadUInt16BigEndian(message) is var head && (head >= TurnChannelData.First || head == (ushort)StunType.SendIndication);

    // False while too little of it has arrived.
    private bool TryMeasure(ReadOnlySpan<byte> arrived, out int length, out int padded)
    {
        (length, padded) = (0, 0);
        if (arrived.Length < Alignment)
        {
            return false;
        }

        int given = BinaryPrimitives.ReadUInt16BigEndian(arrived[2..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(arrived) is >= TurnChannelData.First and <= TurnChannelData.Last)
        {
            length = TurnChannelData.HeaderBytes + given;
            padded = (length + Alignment - 1) & -Alignment;
            return true;
        }

        length = padded = StunMessage.HeaderBytes + given;
        IsBroken = arrived[0] >= 0x40 || given % Alignment != 0 || (arrived.Length >= CookieEnd && BinaryPrimitives.ReadUInt32BigEndian(arrived[4..]) != StunMessage.MagicCookie);
        return !IsBroken && arrived.Length >= CookieEnd;
    }
}
