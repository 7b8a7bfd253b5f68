using System.Buffers.Binary;

namespace AgentMesh.Shim.Format;

/// <summary>The numbers are on the wire between a shim and whichever version of the node takes it over.</summary>
internal enum ShimFrameKind : byte
{
    /// <summary>Shim to node, first: <c>Code</c> is the version of the format, A and B what was acknowledged of stdout and stderr, C the input received.</summary>
    Hello = 1,

    /// <summary>Shim to node: A and B are the lengths of stdout and stderr now.</summary>
    Output = 2,

    /// <summary>Shim to node, last: <c>Detail</c> is the <see cref="ShimOutcome"/>, <c>Code</c> the exit code, A and B the final lengths, C an errno or 0.</summary>
    Ended = 3,

    /// <summary>Node to shim: the home has stdout before A and stderr before B.</summary>
    Acknowledge = 4,

    /// <summary>Node to shim: end the program; SIGKILL to its group follows SIGTERM after A milliseconds.</summary>
    Cancel = 5,

    /// <summary>
    /// Node to shim: input of the program from offset A on; the B bytes follow the frame. No more than <see cref="ShimFiles.InputBytesMax"/> beyond what
    /// <see cref="InputTaken"/> told.
    /// </summary>
    Input = 6,

    /// <summary>Node to shim: there is no more input.</summary>
    InputEnd = 7,

    /// <summary>Node to shim: the terminal has A columns and B rows now.</summary>
    Resize = 8,

    /// <summary>Node to shim: the terminal was hung up.</summary>
    HangUp = 9,

    /// <summary>Shim to node: the program was given the input before A. <c>Detail</c> 1: it takes no more.</summary>
    InputTaken = 10,

    /// <summary>Node to shim: nobody reads stdout any more; the program gets SIGPIPE when it writes.</summary>
    CloseOutput = 11,
}

/// <summary>Why a program ended. The numbers are on the wire and in files.</summary>
internal enum ShimOutcome : byte
{
    Exited = 1,
    Cancelled = 2,
    TimedOut = 3,

    /// <summary>No node came for so long that nobody will want the result.</summary>
    LeaseOver = 4,

    /// <summary>Its output could not be written for a minute.</summary>
    SpoolFailed = 5,
}

/// <summary>
/// One message between node and shim, 32 bytes, integers little-endian:
/// <code>
/// 0 kind | 1 detail | 2 zero (2) | 4 code (int32) | 8 a (int64) | 16 b (int64) | 24 c (int64)
/// </code>
/// </summary>
internal readonly record struct ShimFrame(ShimFrameKind Kind, byte Detail, int Code, long A, long B, long C)
{
    public const int Size = 32;

    /// <summary>Of the frames and of the files. A node ends shims whose version it does not know.</summary>
    public const int Version = 1;

    public static ShimFrame Read(ReadOnlySpan<byte> from) => new(
        (ShimFrameKind)from[0],
        from[1],
        BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[24..]));

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        to[0] = (byte)Kind;
        to[1] = Detail;
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Code);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], A);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], B);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], C);
    }
}
