using System.Buffers;
using System.Buffers.Text;

namespace AgentMesh.Protocol.Identity;

/// <summary>Base64url of a known number of bytes.</summary>
internal static class ExactBase64
{
    /// <summary>False for anything but the text of exactly so many bytes. Does not throw, which the framework's TryDecodeFromChars does for text that its IsValid takes.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination) =>
        Base64Url.DecodeFromChars(text, destination, out int read, out int written) == OperationStatus.Done && read == text.Length && written == destination.Length;
}
