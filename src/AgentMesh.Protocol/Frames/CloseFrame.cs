using System.Globalization;
using System.Text;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// The connection ends here. Nothing is sent after it except repetitions.
/// <code>0x10 | code | length of the reason | reason, UTF-8, at most 255 bytes</code>
/// </summary>
internal readonly record struct CloseFrame(ulong Code, string Reason)
{
    public const int ReasonBytesMax = 255;

    /// <summary>Type, code, length, reason.</summary>
    public const int SizeMax = 1 + VarInt.SizeMax + 2 + ReasonBytesMax;

    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.Close;
        int length = 1 + VarInt.Write(destination[1..], Code);
        Span<byte> reason = stackalloc byte[ReasonBytesMax];
        Encoding.UTF8.GetEncoder().Convert(Reason, reason, flush: true, out _, out int reasonBytes, out _);
        length += VarInt.Write(destination[length..], (ulong)reasonBytes);
        reason[..reasonBytes].CopyTo(destination[length..]);
        return length + reasonBytes;
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out CloseFrame frame)
    {
        frame = default;
        if (!VarInt.TryRead(ref source, out ulong code)
            || !VarInt.TryRead(ref source, out ulong length)
            || length > ReasonBytesMax
            || length > (ulong)source.Length)
        {
            return false;
        }

        frame = new CloseFrame(code, Printable(Encoding.UTF8.GetString(source[..(int)length])));
        source = source[(int)length..];
        return true;
    }

    // The reason is shown in terminals: control characters would be commands to them, and format characters turn text around.
    private static string Printable(string text) => string.Create(text.Length, text, (span, from) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = char.GetUnicodeCategory(from[i]) is UnicodeCategory.Control or UnicodeCategory.Format ? ' ' : from[i];
        }
    });
}
