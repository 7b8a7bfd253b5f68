using System.Text;
using AgentMesh.Transport;

namespace AgentMesh.Remoting;

/// <summary>
/// The first bytes of every stream: one length byte (1..<see cref="NameBytesMax"/>), then that many ASCII characters that name the service.
/// </summary>
internal static class ServiceHeader
{
    public const int NameBytesMax = 32;

    public static bool IsValidName(string name) =>
        name.Length is > 0 and <= NameBytesMax && name.All(static c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    public static byte[] Encode(string service)
    {
        byte[] header = new byte[1 + service.Length];
        header[0] = (byte)service.Length;
        Encoding.ASCII.GetBytes(service, header.AsSpan(1));
        return header;
    }

    /// <returns>The name, or null when the bytes are no header.</returns>
    public static async ValueTask<string?> TryReadAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[NameBytesMax];
        if (!await stream.TryFillAsync(buffer.AsMemory(0, 1), cancellationToken).ConfigureAwait(false))
            return null;
        int length = buffer[0];
        if (length is 0 or > NameBytesMax || !await stream.TryFillAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false))
            return null;
        string name = Encoding.ASCII.GetString(buffer, 0, length);
        return IsValidName(name) ? name : null;
    }
}
